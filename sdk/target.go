package sdk

import "time"

// Target is a registered place that can hold environments.
type Target struct {
	Name           string     `json:"name" doc:"Name of the target" example:"local"`
	Driver         string     `json:"driver" doc:"How the server speaks to it" example:"kube"`
	Domain         string     `json:"domain" doc:"Hosts of its environments end in it" example:"apps.example.com"`
	Reachable      bool       `json:"reachable" doc:"Whether it answers now" example:"true"`
	Message        string     `json:"message,omitempty" doc:"Why it does not" example:"connection refused"`
	Region         string     `json:"region,omitempty" doc:"Where it is, for prices" example:"europe-west6"`
	State          string     `json:"state" enum:"active,cordoned,draining" doc:"Whether it takes new environments, none, or also lets go of those with a lease" example:"active"`
	Reason         string     `json:"reason,omitempty" doc:"Why it is cordoned or draining" example:"its nodes are replaced"`
	Server         string     `json:"server,omitempty" doc:"Address of its API server, as its kubeconfig says" example:"https://10.0.0.1:6443"`
	Kubeconfig     bool       `json:"kubeconfig" doc:"Whether a kubeconfig is kept for it. It is never told" example:"true"`
	KubeconfigFile string     `json:"kubeconfig_file,omitempty" doc:"Path on the server, when its own configuration names one; told to who may change targets" example:"/etc/blueberry/kubeconfig"`
	Context        string     `json:"context,omitempty" doc:"Of the kubeconfig; absent for its current one" example:"prod"`
	Argo           TargetArgo `json:"argo,omitzero" doc:"How an Argo CD runs its environments; absent when nothing is set"`
	Gateway        string     `json:"gateway,omitempty" doc:"Where the wake gateway passes requests on to" example:"http://10.0.0.5:80"`
	Capacity       Demand     `json:"capacity,omitzero" doc:"What its environments may use together; absent when it is not known"`
	CapacitySet    bool       `json:"capacity_set,omitempty" doc:"Whether people set the capacity; else the target says it" example:"false"`
	Used           Usage      `json:"used" doc:"What the environments that live on it use"`
	Configured     bool       `json:"configured,omitempty" doc:"Whether the server's own configuration registers it, which says its driver, domain and address anew at each start" example:"true"`
	CreatedAt      time.Time  `json:"created_at,omitzero" doc:"When it was registered"`
	UpdatedAt      time.Time  `json:"updated_at,omitzero" doc:"When it last changed"`
	Version        int64      `json:"version,omitempty" doc:"Counts up with each change; the same number as in the ETag" example:"2"`
}

// TargetArgo says how an Argo CD runs the environments of a target.
type TargetArgo struct {
	Namespace      string `json:"namespace,omitempty" doc:"Of its Applications; absent means argocd" example:"argocd"`
	Server         string `json:"server,omitempty" doc:"Address of the API server of the cluster that it runs in, as its kubeconfig says" example:"https://10.0.0.1:6443"`
	KubeconfigFile string `json:"kubeconfig_file,omitempty" doc:"Path on the server, when its own configuration names one; told to who may change targets" example:"/etc/blueberry/argo"`
	Kubeconfig     bool   `json:"kubeconfig,omitempty" doc:"Whether a kubeconfig of the cluster that it runs in is kept; else it is that of the target" example:"false"`
	Repository     string `json:"repository,omitempty" doc:"URL by which it reaches the GitOps repository; absent means the server's own" example:"https://git.example.com/acme/environments.git"`
	Destination    string `json:"destination,omitempty" doc:"URL by which it knows the target's cluster; absent means https://kubernetes.default.svc" example:"https://10.0.0.1:6443"`
}

// TargetList is every target of the server.
type TargetList struct {
	Items []Target `json:"items" nullable:"false" doc:"Ordered by name"`
}

// Names are what can be chosen by its name.
type Names struct {
	Projects []string     `json:"projects" nullable:"false" doc:"Ordered by name; empty for who may see none" example:"[\"default\"]"`
	Targets  []TargetName `json:"targets" nullable:"false" doc:"Ordered by name; empty for who may see none"`
}

// TargetName is a target as the record knows it.
type TargetName struct {
	Name   string `json:"name" doc:"Name of the target" example:"local"`
	Driver string `json:"driver" doc:"How the server speaks to it" example:"kube"`
	State  string `json:"state" enum:"active,cordoned,draining" doc:"Whether it takes new environments, none, or also lets go of those with a lease" example:"active"`
}

// RegisterTargetRequest registers a place.
type RegisterTargetRequest struct {
	Name       string       `json:"name" minLength:"1" maxLength:"40" pattern:"^[a-z]([a-z0-9-]*[a-z0-9])?$" doc:"Lower-case letters, digits and dashes" example:"prod"`
	Driver     string       `json:"driver" enum:"kube,argocd,sim" doc:"How the server speaks to it" example:"kube"`
	Domain     string       `json:"domain" doc:"Hosts of its environments end in it" example:"apps.example.com"`
	Region     string       `json:"region,omitempty" doc:"Where it is, for prices" example:"europe-west6"`
	Kubeconfig string       `json:"kubeconfig,omitempty" doc:"Of its cluster, with the credential in it: it is kept encrypted and never told. Absent means the server's own service account" example:"apiVersion: v1\nkind: Config\n"`
	Context    string       `json:"context,omitempty" doc:"Of the kubeconfig; absent for its current one" example:"prod"`
	Argo       *ArgoRequest `json:"argo,omitempty" doc:"How an Argo CD runs its environments, for the driver argocd"`
	Gateway    string       `json:"gateway,omitempty" doc:"Where the wake gateway passes requests on to: the address of the cluster's ingress" example:"http://10.0.0.5:80"`
	Capacity   *Capacity    `json:"capacity,omitempty" doc:"What its environments may use together; absent: what the target says itself"`
}

// ArgoRequest says how an Argo CD runs the environments of a target. In a change, what is absent stays, and what is empty is taken away.
type ArgoRequest struct {
	Namespace   *string `json:"namespace,omitempty" doc:"Of its Applications; absent means argocd" example:"argocd"`
	Kubeconfig  *string `json:"kubeconfig,omitempty" doc:"Of the cluster that it runs in, with the credential in it: it is kept encrypted and never told" example:"apiVersion: v1\nkind: Config\n"`
	Repository  *string `json:"repository,omitempty" doc:"URL by which it reaches the GitOps repository" example:"https://git.example.com/acme/environments.git"`
	Destination *string `json:"destination,omitempty" doc:"URL by which it knows the target's cluster" example:"https://10.0.0.1:6443"`
}

// Capacity is what the environments of a target may use together.
type Capacity struct {
	CPU     string `json:"cpu,omitempty" pattern:"^[0-9]{1,19}(\\.[0-9]{1,9})?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$" doc:"Cores: 2, 0.5 or 1500m" example:"16"`
	Memory  string `json:"memory,omitempty" pattern:"^[0-9]{1,19}(\\.[0-9]{1,9})?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$" doc:"Bytes: 512Mi, 2Gi or 1G" example:"64Gi"`
	Pods    int64  `json:"pods,omitempty" minimum:"0" doc:"How many pods" example:"220"`
	Storage string `json:"storage,omitempty" pattern:"^[0-9]{1,19}(\\.[0-9]{1,9})?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$" doc:"Claimed bytes: 10Gi" example:"500Gi"`
}

// UpdateTargetRequest changes a target. What is absent stays, and what is empty is taken away.
type UpdateTargetRequest struct {
	Driver         *string      `json:"driver,omitempty" enum:"kube,argocd,sim" doc:"How the server speaks to it. Its environments are handed over" example:"argocd"`
	Domain         *string      `json:"domain,omitempty" doc:"Hosts of its environments end in it, from their next revision on" example:"apps.example.com"`
	Region         *string      `json:"region,omitempty" doc:"Where it is, for prices" example:"europe-west6"`
	Kubeconfig     *string      `json:"kubeconfig,omitempty" doc:"Of its cluster, with the credential in it: it is kept encrypted and never told" example:"apiVersion: v1\nkind: Config\n"`
	Context        *string      `json:"context,omitempty" doc:"Of the kubeconfig" example:"prod"`
	Argo           *ArgoRequest `json:"argo,omitempty" doc:"How an Argo CD runs its environments"`
	Gateway        *string      `json:"gateway,omitempty" doc:"Where the wake gateway passes requests on to" example:"http://10.0.0.5:80"`
	Capacity       *Capacity    `json:"capacity,omitempty" doc:"What its environments may use together, all of it"`
	ForgetCapacity bool         `json:"forget_capacity,omitempty" doc:"Take back what people set: the target says itself what it holds" example:"false"`
}

// TargetCheck is one thing that a target needs to do its work.
type TargetCheck struct {
	Name     string `json:"name" doc:"What is looked at" example:"read Deployment.apps"`
	OK       bool   `json:"ok" doc:"Whether it is there" example:"false"`
	Optional bool   `json:"optional,omitempty" doc:"Environments work without it, an ability does not" example:"false"`
	Message  string `json:"message,omitempty" doc:"What is missing, and what does not work without it" example:"the service account may not list deployments"`
	Manifest string `json:"manifest,omitempty" doc:"YAML that grants it; absent when no manifest can" example:"apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\n"`
}

// TargetCheckList is everything that a target needs.
type TargetCheckList struct {
	OK    bool          `json:"ok" doc:"Whether all that is not optional is there" example:"true"`
	Items []TargetCheck `json:"items" nullable:"false" doc:"In the order in which they were looked at"`
}

// RegisteredTarget is a new target with what it was found to need.
type RegisteredTarget struct {
	Target Target        `json:"target" doc:"The target"`
	Checks []TargetCheck `json:"checks" nullable:"false" doc:"What it needs. What is missing does not stop it from being registered"`
}

// CordonTargetRequest says why a target takes no new environments.
type CordonTargetRequest struct {
	Reason string `json:"reason" maxLength:"500" doc:"For people, who see it when they ask for an environment there" example:"its nodes are replaced"`
}

// DrainTargetRequest says why a target lets go of its environments.
type DrainTargetRequest struct {
	Reason string `json:"reason,omitempty" maxLength:"500" doc:"For people; a plan needs none" example:"the cluster is given up"`
	Plan   bool   `json:"plan,omitempty" doc:"Only tell what it would do" example:"true"`
}

// TargetDrain is what a drain does, or would do.
type TargetDrain struct {
	Planned      bool               `json:"planned" doc:"Whether nothing was done: the request asked for the plan alone" example:"true"`
	Environments []DrainEnvironment `json:"environments" nullable:"false" doc:"Those with a lease that is not pinned: they are removed"`
	Standing     []DrainEnvironment `json:"standing" nullable:"false" doc:"Those without one, or pinned: they stay until someone moves or removes them"`
	Going        int                `json:"going,omitempty" doc:"How many are being removed already" example:"2"`
	Hidden       int                `json:"hidden,omitempty" doc:"How many more there are that one may not read" example:"3"`
}

// DrainEnvironment is an environment on a target that is drained.
type DrainEnvironment struct {
	ID        string    `json:"id" doc:"Id of the environment" example:"env_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Project   string    `json:"project" doc:"Project of the environment" example:"default"`
	Name      string    `json:"name" doc:"Name of the environment" example:"pr-42"`
	Owner     string    `json:"owner,omitempty" doc:"Who asked for it" example:"ada@example.com"`
	Phase     Phase     `json:"phase" enum:"pending,provisioning,ready,degraded,updating,sleeping,failed,terminating,terminated" doc:"Where it is in its life" example:"ready"`
	ExpiresAt time.Time `json:"expires_at,omitzero" doc:"When its lease ends; absent if it never does"`
}

// Version says what a server runs.
type Version struct {
	Version string `json:"version" doc:"Version of the server" example:"0.1.0"`
	API     string `json:"api" doc:"Version of the API" example:"v1"`
}
