package httpapi

import (
	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/internal/target"
	"github.com/blueberry-idp/blueberry/sdk"
)

func wireTimelineEntry(t provision.TimelineEntry) sdk.TimelineEntry {
	return sdk.TimelineEntry{
		At: instant(t.At), Kind: t.Kind, Type: t.Type, Component: t.Component, Object: optionalRef(t.Object), Message: t.Message, Actor: t.Actor,
		Warning: t.Warning, Count: t.Count,
	}
}

func wireContainer(c target.Container) sdk.Container {
	return sdk.Container{
		Component: c.Component, Pod: c.Pod, Name: c.Name, Init: c.Init, Ready: c.Ready, State: c.State, Restarts: c.Restarts, StartedAt: instant(c.StartedAt),
	}
}

// wireLogLine keeps the time as it is: a stream that breaks is taken up by it.
func wireLogLine(l target.LogLine) sdk.LogMessage {
	return sdk.LogMessage{At: l.At.UTC(), Component: l.Component, Pod: l.Pod, Container: l.Container, Text: &l.Text}
}

func wirePodUsage(u target.PodUsage) sdk.PodUsage {
	optional := func(resource string, amount int64) string {
		if amount == 0 {
			return ""
		}
		return sdk.QuantityText(resource, amount)
	}
	return sdk.PodUsage{
		Component: u.Component, Pod: u.Pod, At: instant(u.At), CPU: sdk.QuantityText("cpu", u.CPU), Memory: sdk.QuantityText("memory", u.Memory),
		CPURequest: optional("cpu", u.CPURequest), CPULimit: optional("cpu", u.CPULimit),
		MemoryRequest: optional("memory", u.MemoryRequest), MemoryLimit: optional("memory", u.MemLimit),
	}
}

func wireTargetCheck(c blueberry.TargetCheck) sdk.TargetCheck {
	return sdk.TargetCheck{Name: c.Name, OK: c.OK, Optional: c.Optional, Message: c.Message, Manifest: c.Manifest}
}
