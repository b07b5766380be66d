package sdk

// Target is a registered place that can hold environments.
type Target struct {
	Name      string `json:"name" doc:"Name of the target" example:"local"`
	Driver    string `json:"driver" doc:"How the server speaks to it" example:"kube"`
	Domain    string `json:"domain" doc:"Hosts of its environments end in it" example:"apps.example.com"`
	Reachable bool   `json:"reachable" doc:"Whether it answers now" example:"true"`
	Message   string `json:"message,omitempty" doc:"Why it does not" example:"connection refused"`
}

// TargetList is every target of the server.
type TargetList struct {
	Items []Target `json:"items" nullable:"false" doc:"Ordered by name"`
}

// Version says what a server runs.
type Version struct {
	Version string `json:"version" doc:"Version of the server" example:"0.1.0"`
	API     string `json:"api" doc:"Version of the API" example:"v1"`
}
