package httpapi

import (
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

func wirePlanCost(c *blueberry.PlanCost) *sdk.PlanCost {
	if c == nil {
		return nil
	}
	out := &sdk.PlanCost{
		Currency: c.After.Currency, HourBefore: c.Before.Awake().String(), HourAfter: c.After.Awake().String(), HourChange: (c.After.Awake() - c.Before.Awake()).String(),
		AsleepBefore: c.Before.Asleep().String(), AsleepAfter: c.After.Asleep().String(),
		PartsBefore: list(c.Before.Parts, wireCostPart), Parts: list(c.After.Parts, wireCostPart), NotCounted: list(c.NotCounted, same),
	}
	if c.Ends {
		out.ToLeaseEnd = c.ToLeaseEnd.String()
	}
	return out
}

func wireCostPart(p blueberry.CostPart) sdk.CostPart {
	quantity := func(resource string, amount int64) string {
		if amount == 0 {
			return ""
		}
		return sdk.QuantityText(resource, amount)
	}
	return sdk.CostPart{
		Component: p.Component, Pods: p.Pods, CPU: quantity("cpu", p.CPU), Memory: quantity("memory", p.Memory), Storage: quantity("storage", p.Storage),
		CPUCost: p.CPUCost.String(), MemoryCost: p.MemoryCost.String(), StorageCost: p.StorageCost.String(),
		Hour: p.Awake().String(), HourAsleep: p.Asleep().String(),
	}
}

func wireEnvironmentCost(c *blueberry.EnvironmentCost) *sdk.Cost {
	if c == nil {
		return nil
	}
	out := &sdk.Cost{
		Currency: c.Currency, SoFar: c.SoFar.String(), NotCounted: list(c.NotCounted, same), Since: instant(c.Since),
		UnpricedSeconds: int64(c.Unpriced / time.Second), AsOf: instant(c.AsOf),
		Parts: list(c.Parts, func(p blueberry.CostPart) sdk.CostPart {
			part := wireCostPart(p)
			part.SoFar = p.SoFar.String()
			return part
		}),
	}
	for _, m := range c.Others {
		out.Others = append(out.Others, sdk.Money{Currency: m.Currency, Amount: m.Amount.String()})
	}
	if c.Priced {
		out.PerHour, out.PerHourAwake, out.PerHourAsleep = c.Now.String(), c.Awake.String(), c.Asleep.String()
	}
	if c.Ends {
		out.ToLeaseEnd = c.ToLeaseEnd.String()
	}
	return out
}
