package sdk

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Prices is what a target costs, from a moment on. Amounts are decimal numbers as text, so that none is rounded.
type Prices struct {
	Target       string    `json:"target,omitempty" doc:"Target; absent: every target that has no prices of its own" example:"prod"`
	Currency     string    `json:"currency,omitempty" doc:"ISO 4217; absent where prices were removed" example:"EUR"`
	CPUHour      string    `json:"cpu_hour,omitempty" doc:"Of one core that is asked for, for an hour" example:"0.031"`
	MemoryHour   string    `json:"memory_hour,omitempty" doc:"Of one GiB of memory that is asked for, for an hour" example:"0.004"`
	StorageMonth string    `json:"storage_month,omitempty" doc:"Of one GiB of volumes that is asked for, for a month of 730 hours" example:"0.10"`
	Since        time.Time `json:"since" doc:"From when on they hold"`
	By           string    `json:"by" doc:"Who set them" example:"admin"`
	Removed      bool      `json:"removed,omitempty" doc:"In a history: from then on there were none of its own" example:"false"`
}

// PriceList is the prices of all targets.
type PriceList struct {
	Items   []Prices `json:"items" nullable:"false" doc:"What holds now: of every target first, then by target"`
	History []Prices `json:"history" nullable:"false" doc:"All that ever were set, the newest first. What was counted by them stays"`
}

// SetPricesRequest says what a target costs from now on.
type SetPricesRequest struct {
	Target       string `json:"target,omitempty" doc:"Target; absent: every target that has no prices of its own" example:"prod"`
	Currency     string `json:"currency" doc:"ISO 4217: three capital letters" example:"EUR"`
	CPUHour      string `json:"cpu_hour,omitempty" doc:"Of one core for an hour, with at most six digits behind the point; absent: nothing" example:"0.031"`
	MemoryHour   string `json:"memory_hour,omitempty" doc:"Of one GiB of memory for an hour; absent: nothing" example:"0.004"`
	StorageMonth string `json:"storage_month,omitempty" doc:"Of one GiB of volumes for a month of 730 hours; absent: nothing" example:"0.10"`
}

// CostPart is what one component costs.
type CostPart struct {
	Component   string `json:"component" doc:"Name of the component" example:"backend"`
	Pods        int64  `json:"pods,omitempty" doc:"How many pods are counted" example:"2"`
	CPU         string `json:"cpu,omitempty" doc:"Cores that they ask for together" example:"500m"`
	Memory      string `json:"memory,omitempty" doc:"Memory that they ask for together" example:"512Mi"`
	Storage     string `json:"storage,omitempty" doc:"Volumes that it asks for" example:"10Gi"`
	CPUCost     string `json:"cpu_cost" doc:"Of the cores, an hour" example:"0.0155"`
	MemoryCost  string `json:"memory_cost" doc:"Of the memory, an hour" example:"0.002"`
	StorageCost string `json:"storage_cost" doc:"Of the volumes, an hour" example:"0.00137"`
	Hour        string `json:"hour" doc:"Of an hour awake: the sum of the three" example:"0.01887"`
	HourAsleep  string `json:"hour_asleep" doc:"Of an hour asleep: volumes alone" example:"0.00137"`
	SoFar       string `json:"so_far,omitempty" doc:"Of an environment: until now" example:"0.241"`
}

// PlanCost is what a change costs, at the prices that held when the plan was made.
type PlanCost struct {
	_            struct{}   `nullable:"true"`
	Currency     string     `json:"currency" doc:"ISO 4217" example:"EUR"`
	HourBefore   string     `json:"hour_before" doc:"Of an hour awake, now" example:"0.12"`
	HourAfter    string     `json:"hour_after" doc:"Of an hour awake, then" example:"0.18"`
	HourChange   string     `json:"hour_change" doc:"The one less the other" example:"0.06"`
	AsleepBefore string     `json:"asleep_before" doc:"Of an hour asleep, now" example:"0.01"`
	AsleepAfter  string     `json:"asleep_after" doc:"Of an hour asleep, then" example:"0.01"`
	ToLeaseEnd   string     `json:"to_lease_end,omitempty" doc:"From when the plan was made until the lease ends, awake all the time; absent where it never ends" example:"4.32"`
	PartsBefore  []CostPart `json:"parts_before" nullable:"false" doc:"What hour_before is the sum of"`
	Parts        []CostPart `json:"parts" nullable:"false" doc:"What hour_after is the sum of"`
	NotCounted   []string   `json:"not_counted" nullable:"false" doc:"What has a cost that cannot be told before, for people" example:"[\"backend: Job migrate runs only for a while\"]"`
}

// Cost is what an environment costs now, and has cost.
type Cost struct {
	Currency        string     `json:"currency" doc:"ISO 4217" example:"EUR"`
	PerHour         string     `json:"per_hour,omitempty" doc:"Of this hour, as it is: awake, asleep, or gone; absent while no prices hold" example:"0.18"`
	PerHourAwake    string     `json:"per_hour_awake,omitempty" doc:"Of an hour awake" example:"0.18"`
	PerHourAsleep   string     `json:"per_hour_asleep,omitempty" doc:"Of an hour asleep" example:"0.01"`
	SoFar           string     `json:"so_far" doc:"Until now: the sum of the parts" example:"1.94"`
	ToLeaseEnd      string     `json:"to_lease_end,omitempty" doc:"What is to come until its lease ends, if it stays as it is; absent where it never ends" example:"2.38"`
	Parts           []CostPart `json:"parts" nullable:"false" doc:"By component. Of one that is gone only so_far is told"`
	Others          []Money    `json:"others,omitempty" nullable:"false" doc:"What it cost before the prices were told in this currency"`
	NotCounted      []string   `json:"not_counted" nullable:"false" doc:"What has a cost that cannot be told, for people"`
	Since           time.Time  `json:"since,omitzero" doc:"From when on its time is counted; absent while it is not"`
	UnpricedSeconds int64      `json:"unpriced_seconds,omitempty" doc:"For how long of that no prices held; it is in no figure" example:"3600"`
	AsOf            time.Time  `json:"as_of" doc:"When this was told. It grows while the environment stays at one version"`
}

// Money is an amount of a currency.
type Money struct {
	Currency string `json:"currency" doc:"ISO 4217" example:"EUR"`
	Amount   string `json:"amount" doc:"Decimal number" example:"1.94"`
}

// CentsText writes an amount for people, to two digits behind the point. What is more than nothing never looks like nothing; what is no amount stays as it is.
func CentsText(amount string) string {
	digits, minus := strings.CutPrefix(amount, "-")
	whole, fraction, _ := strings.Cut(digits, ".")
	n, err := strconv.ParseUint(whole+(fraction + "000000")[:6], 10, 63)
	if err != nil || whole == "" || len(fraction) > 6 {
		return amount
	}
	const cent = 10_000
	if n > 0 && n < cent && !minus {
		return "less than 0.01"
	}
	n = (n + cent/2) / cent
	out := fmt.Sprintf("%d.%02d", n/100, n%100)
	if minus && n > 0 {
		out = "-" + out
	}
	return out
}
