package httpapi

import (
	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

func wireBlueprint(b blueberry.Blueprint) sdk.Blueprint {
	out := sdk.Blueprint{
		Name: b.Name, Schema: b.Schema, Fields: sdk.FieldClasses(b.Fields), Computed: b.Computed, ConfigUpdates: string(b.ConfigUpdates),
		Lease: sdk.LeaseBounds(b.Lease), Access: sdk.BlueprintAccess(b.Access),
		ConfigSets: list(b.ConfigSets, blueberry.ConfigRef.String),
		Services:   list(b.Services, func(s blueberry.ServiceSlot) sdk.ServiceSlot { return sdk.ServiceSlot(s) }),
		Egress:     list(b.Egress, func(e blueberry.Egress) sdk.Egress { return sdk.Egress(e) }),
		Components: list(b.Components, func(c blueberry.Component) sdk.Component { return sdk.Component(c) }),
		Parameters: list(b.Parameters, wireParameter),
		Repositories: list(b.Repositories, func(r blueberry.SideRepository) sdk.SideRepository {
			return sdk.SideRepository{Name: r.Name, URL: r.URL, Ref: r.Ref, Match: string(r.Match)}
		}),
	}
	return out
}

func wireParameter(p blueberry.Parameter) sdk.Parameter {
	return sdk.Parameter{
		Name: p.Name, Type: string(p.Type), Help: p.Help, Default: p.Default, Enum: p.Enum, Min: p.Min, Max: p.Max, Pattern: p.Pattern,
		Required: p.Required, Sets: list(p.Sets, same),
	}
}

func same[T any](x T) T { return x }

// readBlueprint reads a blueprint that came with a request; nil when none did.
func readBlueprint(b *sdk.Blueprint, at string, found *blueberry.Faults) *blueberry.Blueprint {
	if b == nil {
		return nil
	}
	out := &blueberry.Blueprint{
		Name: b.Name, Schema: blueberry.PlainValues(b.Schema), Fields: blueberry.FieldClasses(b.Fields), Computed: b.Computed,
		ConfigSets: found.CheckConfigRefs(blueberry.JoinField(at, "config_sets"), b.ConfigSets), ConfigUpdates: blueberry.ConfigUpdates(b.ConfigUpdates),
		Lease: blueberry.LeaseBounds(b.Lease), Access: blueberry.BlueprintAccess(b.Access),
	}
	for _, c := range b.Components {
		c.Values = blueberry.PlainValues(c.Values)
		out.Components = append(out.Components, blueberry.Component(c))
	}
	for _, r := range b.Repositories {
		out.Repositories = append(out.Repositories, blueberry.SideRepository{Name: r.Name, URL: r.URL, Ref: r.Ref, Match: blueberry.RepositoryMatch(r.Match)})
	}
	for _, p := range b.Parameters {
		out.Parameters = append(out.Parameters, blueberry.Parameter{
			Name: p.Name, Type: blueberry.ParameterType(p.Type), Help: p.Help, Default: blueberry.PlainNumbers(p.Default), Enum: plainList(p.Enum), Min: p.Min, Max: p.Max,
			Pattern: p.Pattern, Required: p.Required, Sets: p.Sets,
		})
	}
	for _, s := range b.Services {
		out.Services = append(out.Services, blueberry.ServiceSlot(s))
	}
	for _, e := range b.Egress {
		out.Egress = append(out.Egress, blueberry.Egress(e))
	}
	return out
}

func plainList(l []any) []any {
	if l == nil {
		return nil
	}
	return list(l, blueberry.PlainNumbers)
}
