package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// shared is what every command has: the streams and the flags that all know.
type shared struct {
	streams   Streams
	version   string
	server    string
	tokenFile string
	context   string
	output    string
	quiet     bool
}

// Group is the annotation by which a command that comes from elsewhere names the group that it belongs to, as "blueprint". It takes the place of one of
// the same name there.
const Group = "group"

// NewRoot is the command tree of a client. Commands that this room does not know, as the server's own, come as extra: at the top, or in the group that they
// name by an annotation.
func NewRoot(streams Streams, version string, extra ...*cobra.Command) *cobra.Command {
	s := &shared{streams: streams, version: version}
	root := group("blueberry", "Environments on Kubernetes from a Git repository", `Blueberry turns a Git repository into a running environment on Kubernetes: asked for with one command, watched until it is ready, explained when it is not, and removed without a trace when its lease ends.`)
	root.Example = `  # an environment of a repository that holds a blueberry.yaml, until it is ready
  blueberry env create --repo https://git.example.com/acme/shop.git --name pr-42 --wait
  blueberry env list
  blueberry env destroy pr-42`
	root.Version = version
	root.SetIn(streams.In)
	root.SetOut(streams.Out)
	root.SetErr(streams.Err)
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })

	f := root.PersistentFlags()
	f.StringVar(&s.server, "server", "", "address of the server; else $BLUEBERRY_URL, that of the current context, or "+defaultServer)
	f.StringVar(&s.context, "context", "", "context, as blueberry login made it; else $BLUEBERRY_CONTEXT, else the current one")
	f.StringVar(&s.tokenFile, "token-file", "", "file with the API token; else $BLUEBERRY_TOKEN, $BLUEBERRY_TOKEN_FILE, that of the context, or admin-token in the state directory")
	must(root.RegisterFlagCompletionFunc("context", s.completeContexts))
	f.StringVarP(&s.output, "output", "o", "", "form of the result: wide, json, yaml or name; else a table for people")
	f.BoolVarP(&s.quiet, "quiet", "q", false, "say nothing on the way")
	must(root.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"wide", "json", "yaml", "name"}, cobra.ShellCompDirectiveNoFileComp)))
	root.PersistentPreRunE = func(*cobra.Command, []string) error { return s.checkOutput() }

	root.AddGroup(&cobra.Group{ID: "client", Title: "client commands"})
	for _, c := range []*cobra.Command{newEnv(s), newPlan(s), newConfig(s), newBlueprint(s), newPolicy(s), newProject(s), newJob(s), newTarget(s), newArchive(s), newOrphan(s), newRetention(s), newStatus(s), newRepo(s), newPull(s), newCI(s), newBranch(s), newDelivery(s), newSubscription(s), newNotice(s), newPreferences(s), newView(s), newVersion(s)} {
		c.GroupID = "client"
		root.AddCommand(c)
	}
	root.AddGroup(&cobra.Group{ID: "access", Title: "who may do what"})
	for _, c := range accessCommands(s) {
		c.GroupID = "access"
		root.AddCommand(c)
	}
	addExtra(root, extra)
	root.AddCommand(newExitCodes())
	return root
}

// addExtra adds commands from elsewhere to the root, or to the groups that they name.
func addExtra(root *cobra.Command, extra []*cobra.Command) {
	for _, c := range extra {
		name := c.Annotations[Group]
		if name == "" {
			if !root.ContainsGroup("server") {
				root.AddGroup(&cobra.Group{ID: "server", Title: "server commands"})
			}
			c.GroupID = "server"
			root.AddCommand(c)
			continue
		}
		parent := child(root, name)
		if parent == nil {
			panic("there is no group " + name + " for the command " + c.Name()) // a mistake in the program that adds it, found by any start
		}
		if stand := child(parent, c.Name()); stand != nil {
			parent.RemoveCommand(stand)
		}
		parent.AddCommand(c)
	}
}

func child(c *cobra.Command, name string) *cobra.Command {
	for _, sub := range c.Commands() {
		if sub.Name() == name {
			return sub
		}
	}
	return nil
}

// group is a command that only holds others. Named with one that it does not have, it is a mistake, not a wish for help.
func group(use, short, long string, commands ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, Long: long, Args: cobra.ArbitraryArgs}
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return c.Help()
		}
		text := fmt.Sprintf("%s has no command %q", c.CommandPath(), args[0])
		if c.SuggestionsMinimumDistance <= 0 {
			c.SuggestionsMinimumDistance = 2
		}
		if near := c.SuggestionsFor(args[0]); len(near) > 0 {
			text += "; did you mean " + strings.Join(near, " or ") + "?"
		}
		return usageErrorf("%s", text)
	}
	c.AddCommand(commands...)
	return c
}

func newEnv(s *shared) *cobra.Command {
	c := group("env", "Environments: create, watch, change, roll back, destroy", "", newEnvCreate(s), newEnvGet(s), newEnvList(s), newEnvEvents(s), newEnvExtend(s),
		newEnvChange(s), newEnvRefresh(s), newEnvHistory(s), newEnvDiff(s), newEnvRollback(s), newEnvHolds(s), newEnvReleaseHold(s), newEnvDrift(s),
		newEnvDriftPolicy(s), newEnvDestroy(s), newEnvRendering(s), newEnvObjects(s), newEnvWhy(s), newEnvLogs(s), newEnvTop(s), newEnvExec(s), newEnvOpen(s),
		newEnvObject(s), newEnvSleep(s), newEnvWake(s), newEnvSleepPolicy(s), newEnvWakes(s), newEnvRestart(s), newEnvScale(s), newEnvRedeploy(s), newEnvPin(s),
		newEnvUnpin(s), newEnvLabel(s), newEnvReceipt(s), newEnvAbandon(s), newEnvUndo(s))
	c.Aliases = []string{"environment"}
	return c
}

func newPlan(s *shared) *cobra.Command {
	return group("plan", "Plans: what a change would do", `A plan tells what a change would do, before it is done. It is signed, waits 30 minutes, and is applied at most once, only while nothing that it leans on has moved. --plan of create, change, rollback and destroy makes one.`,
		newPlanGet(s), newPlanList(s), newPlanApply(s))
}

func newConfig(s *shared) *cobra.Command {
	return group("config", "Config sets: versioned values, and where each value comes from", `A config set holds named values that are merged into environments. Each edit is a version that never changes. A reference names a set and, if it is to stay at one, a version: shop, shop@3, global/logging@7; an id does too.`,
		newConfigList(s), newConfigGet(s), newConfigCreate(s), newConfigEdit(s), newConfigCheck(s), newConfigHistory(s), newConfigDiff(s), newConfigRestore(s), newConfigDelete(s),
		newConfigUsers(s), newConfigExport(s), newConfigImport(s), newConfigImpact(s), newConfigWhy(s), newConfigEffective(s))
}

func newJob(s *shared) *cobra.Command {
	return group("job", "The server's durable work", "", newJobList(s), newJobGet(s), newJobRetry(s), newJobCancel(s))
}

func newBlueprint(s *shared) *cobra.Command {
	return group("blueprint", "Blueprints: what an environment is made of", "", newBlueprintValidate(s), newBlueprintRender(s), newBlueprintTest(), newBlueprintParameters(s),
		newBlueprintPublish(s), newBlueprintList(s), newBlueprintGet(s), newBlueprintHistory(s), newBlueprintUsers(s), newBlueprintDelete(s))
}

func newPolicy(s *shared) *cobra.Command {
	return group("policy", "Policies: rules that judge plans", "", newPolicyList(s), newPolicyGet(s), newPolicyCreate(s), newPolicyEdit(s), newPolicyDelete(s), newPolicyCheck(s))
}

func newProject(s *shared) *cobra.Command {
	return group("project", "Projects: what they use, how much they may, and who works in them", "", newProjectList(s), newProjectGet(s), newProjectCreate(s), newProjectUpdate(s),
		newProjectDelete(s), newProjectQuota(s), newProjectLife(s), newProjectMembers(s), newProjectAddMember(s), newProjectRemoveMember(s))
}

func newTarget(s *shared) *cobra.Command {
	return group("target", "Places that can hold environments", "", newTargetList(s), newTargetGet(s), newTargetAdd(s), newTargetUpdate(s), newTargetCheck(s), newTargetCordon(s),
		newTargetUncordon(s), newTargetDrain(s), newTargetScan(s), newTargetRemove(s), newPrices(s))
}

func newArchive(s *shared) *cobra.Command {
	return group("archive", "What is kept of environments that ended or failed", `An archive holds the record, manifests, events and receipt of an environment for 90 days, and its logs for seven. Within a day of its end the environment can be brought back: blueberry env undo.`,
		newArchiveList(s), newArchiveGet(s), newArchiveDownload(s))
}

func newOrphan(s *shared) *cobra.Command {
	return group("orphan", "What is on a target and in no record, and the reverse", "", newOrphanList(s), newOrphanGet(s), newOrphanApprove(s))
}

func newRepo(s *shared) *cobra.Command {
	c := group("repo", "Repositories whose pull requests bring their environments", `A repository that is added has its pull requests bring their own environments: opened makes one, pushed moves it to the new commit, closed or merged removes it. Its policy says which pull requests get one.`,
		newRepoAdd(s), newRepoList(s), newRepoGet(s), newRepoChange(s), newRepoRotate(s), newRepoRemove(s), newRepoRule(s))
	c.Aliases = []string{"repository"}
	return c
}

func newPull(s *shared) *cobra.Command {
	return group("pull", "Pull requests, and what became of their environments", "", newPullList(s), newPullGet(s), newPullApprove(s), newPullCommands(s))
}

func newRepoRule(s *shared) *cobra.Command {
	return group("rule", "Rules of branches that have environments of their own", `A rule gives each branch that it matches an environment: a push makes it or moves it, at once or when somebody deploys the commit, and it goes with its branch. Of several rules that match a branch the first counts.`,
		newRepoRuleAdd(s), newRepoRuleList(s), newRepoRuleRemove(s))
}

func newBranch(s *shared) *cobra.Command {
	return group("branch", "Branches that have environments of their own", "", newBranchList(s), newBranchGet(s), newBranchDeploy(s))
}

func newCI(s *shared) *cobra.Command {
	return group("ci", "What CI says of commits: tests, coverage, scans, images", `A pipeline reports what it says of a commit. Pull requests show it, and the gates of their repository's policy may ask for it: an image by digest, tests that pass, coverage, a scan without bad findings.`,
		newCIReport(s), newCIList(s), newCIGet(s), newCIFindings(s), newCIException(s))
}

func newDelivery(s *shared) *cobra.Command {
	return group("delivery", "What the hosts of repositories sent", "", newDeliveryList(s), newDeliveryGet(s), newDeliveryReplay(s))
}

func newSubscription(s *shared) *cobra.Command {
	return group("subscription", "Who is told of events: webhooks, chats, mail", `A subscription tells a receiver of events as they happen: a program by signed CloudEvents, people by a message. What does not arrive is tried again for a day; each try can be looked at with blueberry notice.`,
		newSubscriptionAdd(s), newSubscriptionList(s), newSubscriptionGet(s), newSubscriptionChange(s), newSubscriptionRotate(s), newSubscriptionRemove(s), newSubscriptionTest(s))
}

func newPreferences(s *shared) *cobra.Command {
	return group("preferences", "What you want to be told yourself", `You are told of what happens to environments that are yours: by mail, and in a chat or webhook of your own. Who has set nothing is told by mail that a lease ends. Only people have preferences; tokens and service accounts have none.`,
		newPreferencesGet(s), newPreferencesSet(s), newPreferencesTest(s))
}

func newView(s *shared) *cobra.Command {
	return group("view", "Pages of the console that you saved with a filter", `A saved view is a list of the console with its filter and order, under a name of yours. Only people have views; tokens and service accounts have none.`,
		newViewList(s), newViewSave(s), newViewDelete(s))
}

func newNotice(s *shared) *cobra.Command {
	return group("notice", "What subscriptions were told, and every attempt at it", "", newNoticeList(s), newNoticeGet(s), newNoticeRedrive(s))
}

// exactly takes n arguments, named in the usage line.
func exactly(n int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) != n {
			return usageErrorf("takes %d argument(s): %s", n, c.UseLine())
		}
		return nil
	}
}

// between takes from least to most arguments.
func between(least, most int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) < least || len(args) > most {
			return usageErrorf("takes %d to %d arguments: %s", least, most, c.UseLine())
		}
		return nil
	}
}

// atMost takes up to n arguments.
func atMost(n int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) > n {
			return usageErrorf("takes at most %d argument(s): %s", n, c.UseLine())
		}
		return nil
	}
}

// must is for calls that fail only if a command names a flag that it does not have: a mistake in this package, found by any test.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
