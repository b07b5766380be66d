package httpapi

import (
	"context"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/fleet"
	"github.com/blueberry-idp/blueberry/sdk"
)

func (h targets) mountPrices(r *router) {
	register(r, huma.Operation{
		OperationID: "list-prices", Method: http.MethodGet, Path: "/v1/prices", Tags: []string{tagTargets},
		Summary: "List prices", Description: "What targets cost now, and what they ever did. Prices that are set for no target hold for every one that has none of its own.",
	}, h.listPrices)
	register(r, huma.Operation{
		OperationID: "set-prices", Method: http.MethodPut, Path: "/v1/prices", Tags: []string{tagTargets}, Metadata: gathers(),
		Summary: "Set prices", Description: "What a target costs from now on. What was counted before stays as it was. Amounts are decimal numbers as text, with at most six digits behind the point.",
	}, h.setPrices)
	r.example(http.MethodPut, "/v1/prices", sdk.SetPricesRequest{Currency: "EUR", CPUHour: "0.031", MemoryHour: "0.004", StorageMonth: "0.10"})
	register(r, huma.Operation{
		OperationID: "remove-prices", Method: http.MethodDelete, Path: "/v1/prices", Tags: []string{tagTargets}, DefaultStatus: http.StatusNoContent,
		Summary: "Remove prices", Description: "Of a target those of every target hold again, of every target none. What was counted stays.",
	}, h.removePrices)
}

type pricesOutput struct {
	history blueberry.PriceSheet
	current []blueberry.Prices
}

func (h targets) listPrices(ctx context.Context, _ *struct{ strict }) (*answer[sdk.PriceList], error) {
	history, current, err := h.writes.Prices(ctx, actorOf(ctx))
	return answered(pricesOutput{history, current}, err, func(o pricesOutput) sdk.PriceList {
		slices.Reverse(o.history)
		return sdk.PriceList{Items: list(o.current, wirePrices), History: list(o.history, wirePrices)}
	})
}

type setPricesInput struct {
	strict
	OnceHeader
	Body body[sdk.SetPricesRequest]
}

func (h targets) setPrices(ctx context.Context, in *setPricesInput) (*answer[sdk.Prices], error) {
	r := in.Body.Value
	p, err := h.writes.SetPrices(ctx, actorOf(ctx), fleet.PricesWish{
		Target: r.Target, Currency: r.Currency, CPUHour: r.CPUHour, MemoryHour: r.MemoryHour, StorageMonth: r.StorageMonth, Found: in.Body.unknown,
	})
	return answered(p, err, wirePrices)
}

type removePricesInput struct {
	strict
	Target string `query:"target" maxLength:"40" doc:"Target; absent: every target that has no prices of its own" example:"prod"`
}

func (h targets) removePrices(ctx context.Context, in *removePricesInput) (*nothing, error) {
	if err := h.writes.RemovePrices(ctx, actorOf(ctx), in.Target); err != nil {
		return nil, err
	}
	return &nothing{}, nil
}

func wirePrices(p blueberry.Prices) sdk.Prices {
	out := sdk.Prices{Target: p.Target, Since: instant(p.Since), By: p.By, Removed: p.Removed}
	if !p.Removed {
		out.Currency, out.CPUHour, out.MemoryHour, out.StorageMonth = p.Currency, p.CPUHour.String(), p.MemoryHour.String(), p.StorageMonth.String()
	}
	return out
}
