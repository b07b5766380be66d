package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/blueberry-idp/blueberry/sdk"
)

type envSleepPolicyOptions struct {
	oneEnvironment
	sleepFlags
	never, projects bool
}

func newEnvSleepPolicy(s *shared) *cobra.Command {
	o := &envSleepPolicyOptions{oneEnvironment: oneEnvironment{shared: s}}
	c := o.command(&cobra.Command{
		Use: "sleep-policy NAME", Short: "Say when an environment sleeps by itself",
		Long: `Says when an environment sleeps by itself: when nobody uses it for a while, and in hours of the week. What is named takes the place of the whole policy. --never keeps it awake whatever its project says, --as-project takes its own policy away. Without flags it shows the policy.

A window is days and hours, as "mon-fri 19:00-07:00": it begins on these days, and its end may be on the next one. A whole day is 00:00-24:00.`,
		Example: `  blueberry env sleep-policy pr-42 --idle 30m
  blueberry env sleep-policy pr-42 --window "mon-fri 19:00-07:00" --window "sat,sun 00:00-24:00" --time-zone Europe/Zurich
  blueberry env sleep-policy pr-42 --never`,
	}, o.run)
	o.sleepFlags.flags(c.Flags())
	c.Flags().BoolVar(&o.never, "never", false, "it does not sleep by itself")
	c.Flags().BoolVar(&o.projects, "as-project", false, "it sleeps as its project says")
	return c
}

func (o *envSleepPolicyOptions) run(ctx context.Context, args []string) error {
	policy, named, err := o.policy()
	if err != nil {
		return err
	}
	if named && (o.never || o.projects) || o.never && o.projects {
		return usageErrorf("--never, --as-project and what a policy is made of cannot be given together")
	}
	client, env, err := o.find(ctx, args[0], false)
	if err != nil {
		return err
	}
	if named || o.never || o.projects {
		policy.Never = o.never
		if env, err = client.SetEnvironmentSleepPolicy(ctx, env.ID, policy); err != nil {
			return err
		}
	}
	return o.print(result{value: env.Sleep, names: []string{refOf(env)}, text: func(w io.Writer, _ bool) {
		whose := "its project's policy"
		if env.Sleep.Own {
			whose = "its own policy"
		}
		fmt.Fprintf(w, "%s: %s\n", plainText(refOf(env)), whose)
		describeSleep(w, env.Sleep.Policy)
	}})
}

// sleepFlags are what a sleep policy is made of.
type sleepFlags struct {
	idle     string
	windows  []string
	timeZone string
}

func (s *sleepFlags) flags(f *pflag.FlagSet) {
	f.StringVar(&s.idle, "idle", "", "without a request, change or shell for so long: 30m, 2h")
	f.StringArrayVar(&s.windows, "window", nil, `hours of the week, as "mon-fri 19:00-07:00"; repeatable`)
	f.StringVar(&s.timeZone, "time-zone", "", "of the windows, as Europe/Zurich; else UTC")
}

// policy reads the flags; named reports whether any was given.
func (s *sleepFlags) policy() (p sdk.SleepPolicy, named bool, err error) {
	var m mistakes
	if s.idle != "" {
		d, err := time.ParseDuration(s.idle)
		m.add(err != nil || d%time.Minute != 0 || d <= 0, "--idle: %q is no length of time in minutes, as 30m or 2h", s.idle)
		p.IdleMinutes = int(d / time.Minute)
	}
	for _, text := range s.windows {
		w, err := parseWindow(text)
		m.check(err)
		p.Windows = append(p.Windows, w)
	}
	p.TimeZone = s.timeZone
	return p, s.idle != "" || len(s.windows) > 0 || s.timeZone != "", m.err()
}

func weekdays() []string { return []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"} }

// parseWindow reads "mon-fri,sun 19:00-07:00".
func parseWindow(text string) (sdk.SleepWindow, error) {
	wrong := usageErrorf(`--window: %q is not days and hours, as "mon-fri 19:00-07:00"`, text)
	days, hours, ok := strings.Cut(strings.ToLower(strings.TrimSpace(text)), " ")
	from, to, ok2 := strings.Cut(strings.TrimSpace(hours), "-")
	if !ok || !ok2 || !clock(from) || !clock(to) && to != "24:00" {
		return sdk.SleepWindow{}, wrong
	}
	if to == "24:00" {
		to = "00:00"
	}
	w := sdk.SleepWindow{From: from, To: to}
	week := weekdays()
	for part := range strings.SplitSeq(days, ",") {
		first, last, span := strings.Cut(part, "-")
		if !span {
			last = first
		}
		a, b := slices.Index(week, first), slices.Index(week, last)
		if a < 0 || b < 0 {
			return w, wrong
		}
		for i := a; ; i = (i + 1) % len(week) {
			if !slices.Contains(w.Days, week[i]) {
				w.Days = append(w.Days, week[i])
			}
			if i == b {
				break
			}
		}
	}
	return w, nil
}

func clock(text string) bool {
	_, err := time.Parse("15:04", text)
	return err == nil && len(text) == 5
}

func describeSleep(w io.Writer, p sdk.SleepPolicy) {
	switch {
	case p.Never, p.IdleMinutes == 0 && len(p.Windows) == 0:
		fmt.Fprintln(w, "  sleep: never by itself")
		return
	case p.IdleMinutes != 0:
		fmt.Fprintf(w, "  sleep: after %s without use\n", span(time.Duration(p.IdleMinutes)*time.Minute))
	}
	for _, x := range p.Windows {
		fmt.Fprintf(w, "  sleep: %s %s-%s %s\n", plainText(strings.Join(x.Days, ",")), plainText(x.From), plainText(x.To), plainText(first(p.TimeZone, "UTC")))
	}
}
