package sdk

// Origin says where a value was set.
type Origin struct {
	Layer   string `json:"layer" enum:"chart,blueprint,config_set,build,environment,computed" doc:"Layer of values, lowest first" example:"config_set"`
	Name    string `json:"name,omitempty" doc:"Name of the chart, config set or parameter; absent for overrides and for what the platform computes" example:"shop"`
	Version int    `json:"version,omitempty" doc:"Of the config set, or of the catalogue's blueprint" example:"3"`
	Author  string `json:"author,omitempty" doc:"Who made that version" example:"admin"`
	Commit  string `json:"commit,omitempty" doc:"Commit of the repository that a blueprint, chart or imported config set stands in" example:"5f1d3c1e8a0b4c6d9e2f7a8b9c0d1e2f3a4b5c6d"`
}

// Setting is one leaf of the effective values with where it comes from. A leaf is a scalar, a list, an empty map, or a reference to a secret
// ({"secretRef": "name/key"}).
type Setting struct {
	Path    string   `json:"path" doc:"Component, then keys; a key that is not a plain word is quoted in brackets" example:"backend.env.LOG_LEVEL"`
	Value   any      `json:"value" doc:"The value that holds; null when deleted" example:"\"debug\""`
	Deleted bool     `json:"deleted,omitempty" doc:"A layer's null took it out" example:"false"`
	Origin  Origin   `json:"origin" doc:"Where it was set"`
	Shadows []Shadow `json:"shadows" nullable:"false" doc:"What it replaced, nearest layer first"`
}

// Shadow is a value that another layer's replaced.
type Shadow struct {
	Value  any    `json:"value" doc:"The value that was replaced" example:"\"info\""`
	Origin Origin `json:"origin" doc:"Where it was set"`
}

// SettingChange is what became of one setting.
type SettingChange struct {
	Path   string        `json:"path" doc:"Component, then keys" example:"backend.env.LOG_LEVEL"`
	Before *SettingValue `json:"before,omitempty" doc:"Absent where there was none"`
	After  *SettingValue `json:"after,omitempty" doc:"Absent where there is none"`
}

// SettingValue is a value with where it was set.
type SettingValue struct {
	Value   any    `json:"value" doc:"The value; null when deleted" example:"\"debug\""`
	Deleted bool   `json:"deleted,omitempty" doc:"A layer's null took it out" example:"false"`
	Origin  Origin `json:"origin" doc:"Where it was set"`
}

// EnvironmentSettings are the effective values of one revision.
type EnvironmentSettings struct {
	Revision int            `json:"revision" doc:"Number of the revision" example:"2"`
	Settings []Setting      `json:"settings" nullable:"false" doc:"With where each comes from, ordered by path"`
	Values   map[string]any `json:"values" doc:"The same as a tree, keyed by component" example:"{\"backend\": {\"env\": {\"LOG_LEVEL\": \"debug\"}}}"`
}

// Warning is something that a user should know and that stops nothing.
type Warning struct {
	Code    string `json:"code" doc:"Stable word for programs" example:"forbidden_field"`
	Field   string `json:"field,omitempty" doc:"Path of the field in the request" example:"overrides.backend.resources"`
	Message string `json:"message" doc:"The same for people" example:"is forbidden by the blueprint and was dropped"`
}
