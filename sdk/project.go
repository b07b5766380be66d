package sdk

import (
	"strconv"
	"time"
)

// Project is the boundary of ownership, quota and permission.
type Project struct {
	Name         string           `json:"name" doc:"Name of the project" example:"default"`
	Description  string           `json:"description,omitempty" doc:"For people" example:"The shop and what belongs to it"`
	ClusterKinds []string         `json:"cluster_kinds" nullable:"false" doc:"Cluster-scoped kinds that its environments may create" example:"[\"CustomResourceDefinition\"]"`
	Quota        Quota            `json:"quota" doc:"What its environments may use together"`
	Used         Usage            `json:"used" doc:"What its living environments use"`
	UsedByKind   map[string]Usage `json:"used_by_kind" doc:"The same for each kind of environment: preview, ephemeral and standing"`
	MaxPinHours  int              `json:"max_pin_hours" doc:"How many hours an environment of it may be pinned; 0 for the default of 720, -1 for not at all" example:"336"`
	Sleep        SleepPolicy      `json:"sleep,omitzero" doc:"When its environments sleep by themselves, unless they have a policy of their own"`
	CreatedAt    time.Time        `json:"created_at" doc:"When it was made"`
	Version      int64            `json:"version" doc:"Counts up with each change; the same number as in the ETag" example:"1"`
}

// ProjectList is every project.
type ProjectList struct {
	Items []Project `json:"items" nullable:"false" doc:"Ordered by name"`
}

// Quota is the limits of a project, for all of its environments and for those of a kind.
type Quota struct {
	Limits
	Kinds map[string]Limits `json:"kinds,omitempty" doc:"Limits of the environments of a kind: preview (of a pull request), ephemeral (with a lease) or standing (without)"`
}

// Limits bound what environments may use together. What is absent has no limit.
type Limits struct {
	Environments *int64 `json:"environments,omitempty" minimum:"0" doc:"How many environments" example:"20"`
	CPU          string `json:"cpu,omitempty" pattern:"^[0-9]{1,19}(\\.[0-9]{1,9})?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$" doc:"Requested cores: 2, 0.5 or 1500m" example:"1500m"`
	Memory       string `json:"memory,omitempty" pattern:"^[0-9]{1,19}(\\.[0-9]{1,9})?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$" doc:"Requested bytes: 512Mi, 2Gi or 1G" example:"2Gi"`
	Pods         *int64 `json:"pods,omitempty" minimum:"0" doc:"How many pods" example:"40"`
	Storage      string `json:"storage,omitempty" pattern:"^[0-9]{1,19}(\\.[0-9]{1,9})?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$" doc:"Claimed bytes: 10Gi" example:"10Gi"`
}

// Usage is what environments use.
type Usage struct {
	Environments int64  `json:"environments" doc:"How many environments" example:"3"`
	CPU          string `json:"cpu" doc:"Requested cores" example:"1500m"`
	Memory       string `json:"memory" doc:"Requested bytes" example:"2Gi"`
	Pods         int64  `json:"pods" doc:"How many pods" example:"12"`
	Storage      string `json:"storage" doc:"Claimed bytes" example:"10Gi"`
}

// QuantityText writes an amount of a resource as Kubernetes does: 1500 thousandths of "cpu" are "1500m", 2147483648 bytes of "memory" or "storage" are
// "2Gi". Of any other resource it is the number.
func QuantityText(resource string, amount int64) string {
	switch resource {
	case "cpu":
		if amount%1000 == 0 {
			return strconv.FormatInt(amount/1000, 10)
		}
		return strconv.FormatInt(amount, 10) + "m"
	case "memory", "storage":
		unit := 0
		for amount != 0 && amount%1024 == 0 && unit < len(binaryUnits)-1 {
			amount /= 1024
			unit++
		}
		return strconv.FormatInt(amount, 10) + binaryUnits[unit]
	}
	return strconv.FormatInt(amount, 10)
}

var binaryUnits = [...]string{"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"}
