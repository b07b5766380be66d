package targettest

import "testing"

// abilities are the tests of what a driver may be able to do. One that is not has nothing to prove.
func abilities() map[string]func(*testing.T, *scene) {
	return map[string]func(*testing.T, *scene){
		"containers are listed, and what they say is read": testLogs,
		"logs are followed":                                 testFollow,
		"what the place noted is told":                      testEvents,
		"an object is shown as it is, but for its secrets":  testLive,
		"a restart makes new pods, and is no drift":         testRestart,
		"a workload is scaled where its manifest leaves it": testScale,
		"a scan finds what is there, with whose it is":      testScan,
		"what is left says what holds it":                   testLeftovers,
		"a place that lacks nothing says so":                testCheckAll,
		"abilities tell that the place is away":             testAbilitiesCut,
		"abilities leave other environments alone":          testAbilitiesForeign,
	}
}
