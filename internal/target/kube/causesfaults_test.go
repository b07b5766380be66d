package kube_test

import (
	"testing"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

func asking(resource, amount string) string {
	return `{containers: [{name: app, image: "registry.invalid/app:1.0", resources: {requests: {` + resource + `: ` + amount + `}, limits: {` + resource + `: ` + amount + `}}}]}`
}

const claimDoc = `apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: $ns, labels: $labels}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}$class}
`

const claimed = `{containers: [{name: app, image: "registry.invalid/app:1.0"}], volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]}`

// schedulingFaults are told by the real scheduler and controllers.
func schedulingFaults() map[string]injected {
	claim := func(class string) string { return replace(claimDoc, "$class", class) }
	return map[string]injected{
		"unschedulable: CPU": {
			docs: []string{deploymentOf("{}", asking("cpu", `"20000"`))}, want: blueberry.CauseNoCPU, says: "asks for 20k of CPU", proof: "Insufficient cpu",
		},
		"unschedulable: memory": {
			docs: []string{deploymentOf("{}", asking("memory", `"100Ti"`))}, want: blueberry.CauseNoMemory, says: "the biggest holds 64Ti in all", proof: "Insufficient memory",
		},
		"unschedulable: taint": {
			change: func(t *testing.T, e *environment) {
				e.node(t, `[{key: dedicated, value: gpu, effect: NoSchedule}]`, "True")
			},
			docs: []string{deploymentOf("{}", `{nodeSelector: {kubernetes.io/hostname: $env}, containers: [{name: app, image: "registry.invalid/app:1.0"}]}`)},
			want: blueberry.CauseTaint, says: "dedicated=gpu:NoSchedule on ", proof: "untolerated taint",
		},
		"unschedulable: node selector": {
			// It tolerates all, since other faults make nodes with taints, which would come first.
			docs: []string{deploymentOf("{}", `{nodeSelector: {nowhere: here}, tolerations: [{operator: Exists}], containers: [{name: app, image: "registry.invalid/app:1.0"}]}`)},
			want: blueberry.CauseUnschedulable, says: "node affinity/selector", proof: "0/",
		},
		"quota": {
			change: func(t *testing.T, e *environment) {
				e.place(t, `{apiVersion: v1, kind: ResourceQuota, metadata: {name: small, namespace: $ns}, spec: {hard: {requests.cpu: 10m}}}`)
				e.denied(t, podProbe, "exceeded quota")
			},
			docs: []string{deploymentOf("{}", appSpec)},
			want: blueberry.CauseQuota, says: "quota small allows Deployment web no more pods", proof: "exceeded quota",
		},
		"volume: no storage class": {
			docs: []string{claim(""), deploymentOf("{}", claimed)}, want: blueberry.CauseVolumePending, says: "names no storage class", proof: "",
		},
		"volume: unknown storage class": {
			docs: []string{claim(", storageClassName: fast"), deploymentOf("{}", claimed)},
			want: blueberry.CauseVolumePending, says: "storage class fast, which the target does not have", proof: "fast",
		},
		"volume: no claim": {
			docs: []string{deploymentOf("{}", claimed)}, want: blueberry.CauseVolumePending, says: "needs claim data, which is not there", proof: `"data" not found`,
		},
		"node not ready": {
			change: func(t *testing.T, e *environment) { e.node(t, `[]`, "False") },
			docs:   []string{deploymentOf("{}", `{nodeName: $env, containers: [{name: app, image: "registry.invalid/app:1.0"}]}`)},
			want:   blueberry.CauseNodeNotReady, says: "is not ready (KubeletNotReady)", proof: "container runtime is down",
		},
	}
}

func imageFaults() map[string]injected {
	pull := func(want blueberry.CauseCode, says, answer string) injected {
		return injected{
			docs: []string{deploymentOf(asleep, appSpec)}, want: want, says: says, proof: answer[:20],
			broken: func(t *testing.T, e *environment) {
				pod := e.status(t, containerIs(`"state": {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image \"registry.invalid/app:1.0\""}}`))
				e.event(t, pod, "spec.containers{app}", "Warning", "Failed", `Failed to pull image "registry.invalid/app:1.0": `+answer)
			},
		}
	}
	return map[string]injected{
		"image: not found":    pull(blueberry.CauseImageMissing, "is not found in its registry", `rpc error: code = NotFound desc = failed to pull and unpack image: failed to resolve reference "registry.invalid/app:1.0": registry.invalid/app:1.0: not found`),
		"image: denied":       pull(blueberry.CauseImageDenied, "may not be pulled", `rpc error: code = Unknown desc = failed to authorize: failed to fetch anonymous token: unexpected status from GET request: 401 Unauthorized`),
		"image: rate-limited": pull(blueberry.CauseImageLimited, "limits how often", `rpc error: code = Unknown desc = toomanyrequests: You have reached your pull rate limit`),
		"image: no route":     pull(blueberry.CauseImagePull, "cannot be pulled", `rpc error: code = Unknown desc = failed to do request: Head "https://registry.invalid/v2/app/manifests/1.0": dial tcp: lookup registry.invalid: no such host`),
		"image: not a name": {
			docs: []string{deploymentOf(asleep, appSpec)}, want: blueberry.CauseImagePull, says: "no valid name", proof: "couldn't parse",
			broken: func(t *testing.T, e *environment) {
				e.status(t, containerIs(`"state": {"waiting": {"reason": "InvalidImageName", "message": "Failed to apply default image tag: couldn't parse image name"}}`))
			},
		},
	}
}

const crashedBefore = `"lastState": {"terminated": {"exitCode": 3, "reason": "Error", "startedAt": "$before", "finishedAt": "$before"}}`

func containerFaults() map[string]injected {
	state := func(want blueberry.CauseCode, says, proof, status string) injected {
		return injected{docs: []string{deploymentOf(asleep, appSpec)}, want: want, says: says, proof: proof, broken: func(t *testing.T, e *environment) { e.status(t, status) }}
	}
	config := func(want blueberry.CauseCode, says, message string) injected {
		return state(want, says, message, containerIs(`"state": {"waiting": {"reason": "CreateContainerConfigError", "message": "`+replace(message, `"`, `\"`)+`"}}`))
	}
	mount := func(want blueberry.CauseCode, says, message string) injected {
		return injected{
			docs: []string{deploymentOf(asleep, `{containers: [{name: app, image: "registry.invalid/app:1.0"}], volumes: [{name: conf, secret: {secretName: app-keys}}]}`)},
			want: want, says: says, proof: message,
			broken: func(t *testing.T, e *environment) { e.event(t, e.pod(t), "", "Warning", "FailedMount", message) },
		}
	}
	probed := `{containers: [{name: app, image: "registry.invalid/app:1.0", resources: {limits: {memory: 96Mi}}, livenessProbe: {httpGet: {path: /live, port: 8080}}, readinessProbe: {httpGet: {path: /ready, port: 8080}}}]}`
	waits := `{initContainers: [{name: wait-db, image: "registry.invalid/wait:1.0"}], containers: [{name: app, image: "registry.invalid/app:1.0"}]}`
	init := func(state string) string {
		return `"initContainerStatuses": [{"name": "wait-db", "image": "registry.invalid/wait:1.0", "imageID": "", "ready": false, "restartCount": 2, ` + state + `}]`
	}
	return map[string]injected{
		"ConfigMap missing":       config(blueberry.CauseConfigMapMissing, "needs ConfigMap settings, which is not there", `configmap "settings" not found`),
		"Secret missing":          config(blueberry.CauseSecretMissing, "needs Secret db, which is not there", `secret "db" not found`),
		"key missing":             config(blueberry.CauseKeyMissing, "needs key PASSWORD of Secret db", `couldn't find key PASSWORD in Secret suite/db`),
		"volume of a Secret":      mount(blueberry.CauseSecretMissing, "needs Secret app-keys, which is not there", `MountVolume.SetUp failed for volume "conf" : secret "app-keys" not found`),
		"volume of a key":         mount(blueberry.CauseKeyMissing, "needs key tls.crt of Secret app-keys", `MountVolume.SetUp failed for volume "conf" : references non-existent secret key: tls.crt`),
		"volume is held":          mount(blueberry.CauseVolumePending, "volume pvc-1 of pod", `Multi-Attach error for volume "pvc-1" Volume is already exclusively attached to one node`),
		"container not startable": state(blueberry.CauseContainer, "cannot be started", "executable file not found", containerIs(`"state": {"waiting": {"reason": "CreateContainerError", "message": "exec: \"serve\": executable file not found in $PATH"}}`)),
		"crash loop": state(blueberry.CauseCrash, "container app of pod web-", "Error, exit code 3",
			replace(containerIs(`"state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s"}}, `+crashedBefore), `"restartCount": 0`, `"restartCount": 4`)),
		"out of memory": {
			docs: []string{deploymentOf(asleep, probed)}, want: blueberry.CauseOutOfMemory, says: "memory limit of 96Mi", proof: "OOMKilled, exit code 137",
			broken: func(t *testing.T, e *environment) {
				e.status(t, containerIs(`"state": {"waiting": {"reason": "CrashLoopBackOff"}}, `+replace(replace(crashedBefore, `"Error"`, `"OOMKilled"`), `"exitCode": 3`, `"exitCode": 137`)))
			},
		},
		"liveness probe": {
			docs: []string{deploymentOf(asleep, probed)}, want: blueberry.CauseLiveness, says: "liveness probe (GET /live on port 8080) failed: HTTP probe failed with statuscode: 500", proof: "statuscode: 500",
			broken: func(t *testing.T, e *environment) {
				pod := e.status(t, containerIs(`"state": {"waiting": {"reason": "CrashLoopBackOff"}}, `+replace(crashedBefore, `"exitCode": 3`, `"exitCode": 137`)))
				e.event(t, pod, "spec.containers{app}", "Warning", "Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 500")
				e.event(t, pod, "spec.containers{app}", "Normal", "Killing", "Container app failed liveness probe, will be restarted")
			},
		},
		"readiness probe": {
			docs: []string{deploymentOf(asleep, probed)}, want: blueberry.CauseReadiness, says: "statuscode: 503", proof: "Readiness probe failed",
			broken: func(t *testing.T, e *environment) {
				pod := e.status(t, `"phase": "Running", `+containerIs(`"started": true, "state": {"running": {"startedAt": "$before"}}`))
				e.event(t, pod, "spec.containers{app}", "Warning", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503")
			},
		},
		"init container crashes": {
			docs: []string{deploymentOf(asleep, waits)}, want: blueberry.CauseInitStuck, says: "init container wait-db of pod web-", proof: "exit code 3",
			broken: func(t *testing.T, e *environment) {
				e.status(t, init(`"state": {"waiting": {"reason": "CrashLoopBackOff"}}, `+crashedBefore))
			},
		},
		"init container does not end": {
			docs: []string{deploymentOf(asleep, waits)}, want: blueberry.CauseInitStuck, says: "has not ended", proof: "running since",
			broken: func(t *testing.T, e *environment) {
				e.status(t, init(`"state": {"running": {"startedAt": "$before"}}`))
			},
		},
	}
}

func jobFaults() map[string]injected {
	job := func(annotations, spec string) string {
		return `apiVersion: batch/v1
kind: Job
metadata: {name: $name, namespace: $ns, labels: $labels}
spec: {` + spec + `, template: {metadata: {labels: $podlabels, annotations: ` + annotations + `}, spec: {restartPolicy: Never, containers: [{name: job, image: "registry.invalid/job:1.0"}]}}}
`
	}
	return map[string]injected{
		"Job: backoff limit": {
			docs: []string{job(`{blueberry.dev/fail: Error}`, "backoffLimit: 0")}, want: blueberry.CauseJobFailed, says: "1 of its pods ended with a failure, and its backoffLimit is 0", proof: "BackoffLimitExceeded",
		},
		"Job: deadline": {
			docs: []string{job(`{blueberry.dev/runs-for: 1h}`, "activeDeadlineSeconds: 1")}, want: blueberry.CauseJobFailed, says: "activeDeadlineSeconds of 1", proof: "DeadlineExceeded",
		},
	}
}
