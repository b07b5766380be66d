package render

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// restrictedChart renders the objects of a chart in a restricted environment.
func restrictedChart(t *testing.T, objects string, change ...func(*Input)) (Output, error) {
	t.Helper()
	in := bare(t)
	in.Source, in.Restricted = chartOf(objects), true
	in.Blueprint.Components = []blueberry.Component{{Name: "web", Chart: "c"}}
	for _, f := range change {
		f(&in)
	}
	return Environment(in)
}

// dump is a container that does what it can to get at secrets: all that a test step of a hostile pull request could ask of Kubernetes.
const dump = `
containers:
  - name: steps
    image: steps:1
    command: [sh, -c, "env; cat /run/secrets/kubernetes.io/serviceaccount/token /keys/* /all/*; curl 169.254.169.254"]
    env:
      - {name: PLAIN, value: "1"}
      - {name: POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
      - {name: PASSWORD, valueFrom: {secretKeyRef: {name: db, key: password}}}
      - {name: LATER, valueFrom: {somethingNew: {name: db}}}
    envFrom: [{secretRef: {name: db}}, {configMapRef: {name: settings}}, {prefix: X_, secretRef: {name: db, optional: true}}]
    volumeMounts: [{name: keys, mountPath: /keys}, {name: all, mountPath: /all}, {name: tmp, mountPath: /tmp}, {name: vault, mountPath: /vault}, {name: node, mountPath: /node}]
    livenessProbe: {httpGet: {host: 169.254.169.254, port: 80, path: /}}
initContainers:
  - {name: first, image: "first:1", env: [{name: TOKEN, valueFrom: {secretKeyRef: {name: ci, key: token}}}]}
volumes:
  - {name: tmp, emptyDir: {}}
  - {name: keys, secret: {secretName: db}}
  - {name: vault, csi: {driver: secrets-store.csi.k8s.io, volumeAttributes: {secretProviderClass: db}}}
  - {name: node, hostPath: {path: /}}
  - {name: all, projected: {sources: [{secret: {name: db}}, {serviceAccountToken: {path: token, audience: sts.amazonaws.com}}, {configMap: {name: settings}}]}}
serviceAccountName: powerful
serviceAccount: powerful
automountServiceAccountToken: true
priorityClassName: first
`

// podOf puts dump into the object of a kind.
func podOf(kind string) string {
	indent := func(n int) string {
		return strings.ReplaceAll(strings.TrimSuffix(dump, "\n"), "\n", "\n"+strings.Repeat(" ", n))
	}
	labels := "metadata: {name: w, labels: {azure.workload.identity/use: 'true'}, annotations: {vault.hashicorp.com/agent-inject: 'true', " +
		"secrets-webhook.security.bank-vaults.io/vault-role: mutated, v1.multus-cni.io/default-network: othernet}}\n"
	switch kind {
	case "Pod":
		return "apiVersion: v1\nkind: Pod\n" + labels + "spec:" + indent(2) + "\n"
	case "CronJob":
		return "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: w}\nspec:\n  schedule: '* * * * *'\n  jobTemplate:\n    spec:\n      template:\n        " +
			strings.TrimSuffix(labels, "\n") + "\n        spec:" + indent(10) + "\n"
	}
	api := map[string]string{"Job": "batch/v1", "Rollout": "argoproj.io/v1alpha1"}[kind]
	if api == "" {
		api = "apps/v1"
	}
	return "apiVersion: " + api + "\nkind: " + kind + "\nmetadata: {name: w, annotations: {helm.sh/hook: post-install}}\nspec:\n  template:\n    " + strings.TrimSuffix(labels, "\n") + "\n    spec:" +
		indent(6) + "\n"
}

// TestSecretDump: whatever a workload asks for, of a restricted environment it gets no secret and no token, and each thing is told by name.
func TestSecretDump(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"Pod", "Deployment", "StatefulSet", "ReplicaSet", "Job", "CronJob", "Rollout"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			open, err := restrictedChart(t, podOf(kind), func(in *Input) { in.Restricted = false })
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(allText(open), "secret"); n < 5 {
				t.Fatalf("the fixture asks for %d secrets only", n)
			}
			out, err := restrictedChart(t, podOf(kind))
			if err != nil {
				t.Fatal(err)
			}
			text := strings.ReplaceAll(allText(out), "cat /run/secrets/kubernetes.io/serviceaccount/token", "")
			for _, word := range []string{"secret", "Token:", "powerful", "csi", "hostPath", "agent-inject", "bank-vaults", "othernet", "workload.identity", "somethingNew", "host: 169"} {
				if word == "Token:" {
					if strings.Contains(strings.ReplaceAll(text, "automountServiceAccountToken: false", ""), word) {
						t.Errorf("%q is still there:\n%s", word, text)
					}
				} else if strings.Contains(text, word) {
					t.Errorf("%q is still there:\n%s", word, text)
				}
			}
			for _, word := range []string{"name: PLAIN", "name: POD", "configMapRef", "mountPath: /tmp", "mountPath: /all", "automountServiceAccountToken: false"} {
				if !strings.Contains(text, word) {
					t.Errorf("%q is gone as well", word)
				}
			}
			told := warningsText(out)
			for _, word := range []string{"PASSWORD of container steps", "LATER", "TOKEN of container first", "variables of container steps", "volume keys", "volume vault", "volume node", "secret in volume all", "serviceAccountToken in volume all", "token of its service account", "agent-inject", "the host that the livenessProbe"} {
				if !strings.Contains(told, word) {
					t.Errorf("%q is not told:\n%s", word, told)
				}
			}
			if strings.Contains(told, "db") {
				t.Errorf("what is told names a Secret:\n%s", told)
			}
		})
	}
}

func allText(out Output) string {
	var b strings.Builder
	for _, f := range out.Files {
		b.Write(f.Content)
	}
	return b.String()
}

func warningsText(out Output) string {
	var lines []string
	for _, w := range out.Warnings {
		lines = append(lines, w.Field+" "+w.Code+": "+w.Message)
	}
	return strings.Join(lines, "\n")
}

// TestSecretsOfValues: secrets that config sets and overrides name do not reach a built-in component either.
func TestSecretsOfValues(t *testing.T) {
	t.Parallel()
	in := shop(set("global/base", values{"web": values{"env": values{"LEVEL": "info", "DB_PASSWORD": values{"secretRef": "db/password"}}}}), overrides(values{"web": values{
		"envFrom": []any{values{"secret": "payments"}}, "env": values{"API_TOKEN": values{"secretRef": "api/token"}},
	}}))
	in.Restricted = true
	out, err := Environment(in)
	if err != nil {
		t.Fatal(err)
	}
	text := allText(out)
	if strings.Contains(text, "secretKeyRef") || strings.Contains(text, "secretRef") || strings.Contains(text, "payments") || !strings.Contains(text, "LEVEL") {
		t.Error(text)
	}
	for _, name := range []string{"DB_PASSWORD of container web", "API_TOKEN of container web", "variables of container web"} {
		if told := warningsText(out); !strings.Contains(told, name) {
			t.Errorf("%s is not told:\n%s", name, told)
		}
	}
	if again, err := Environment(in); err != nil || again.Digest != out.Digest || !cmp.Equal(again.Warnings, out.Warnings) {
		t.Errorf("the same input gives something else: %v", err)
	}
}

// wayOut is all that may open the network of an environment.
const wayOut = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: open}
spec: {podSelector: {}, policyTypes: [Egress], egress: [{}]}
---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: open}
spec: {endpointSelector: {}, egress: [{toEntities: [all]}]}
---
apiVersion: v1
kind: Service
metadata: {name: metadata}
spec: {type: ExternalName, externalName: metadata.google.internal, selector: {a: b}}
---
apiVersion: v1
kind: Service
metadata: {name: by-hand}
spec: {ports: [{port: 80}]}
---
apiVersion: v1
kind: Endpoints
metadata: {name: by-hand}
subsets: [{addresses: [{ip: 169.254.169.254}], ports: [{port: 80}]}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: by-hand, labels: {kubernetes.io/service-name: by-hand}}
addressType: IPv4
endpoints: [{addresses: [169.254.169.254]}]
---
apiVersion: v1
kind: Service
metadata: {name: front}
spec: {type: LoadBalancer, selector: {app: front}, externalIPs: [192.0.2.1], ports: [{port: 80, nodePort: 30080}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: x}
spec: {rules: [{http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: metadata, port: {number: 80}}}}, {path: /f, pathType: Prefix, backend: {service: {name: front, port: {number: 80}}}}]}}]}
`

// TestNoWayOut: the only way out of a restricted environment is the DNS of the cluster. The metadata service is never among what is open, at any port.
func TestNoWayOut(t *testing.T) {
	t.Parallel()
	out, err := restrictedChart(t, wayOut, func(in *Input) {
		in.Blueprint.Egress = []blueberry.Egress{{CIDR: "0.0.0.0/0"}, {CIDR: "169.254.169.254/32", Ports: []int{80}}, {CIDR: "::/0"}}
	})
	if err != nil {
		t.Fatal(err)
	}
	got := decodeFiles(t, out)
	for name := range got {
		kind, _, _ := strings.Cut(name, " ")
		if slices.Contains([]string{"CiliumNetworkPolicy", "Endpoints", "EndpointSlice"}, kind) || name == "Service metadata" || name == "Service by-hand" {
			t.Errorf("%s is there", name)
		}
	}
	exits := 0
	for name, o := range got {
		for _, rule := range list(o, "spec", "egress") {
			exits++
			for _, to := range list(rule, "to") {
				cidr := text(to, "ipBlock", "cidr")
				if cidr == "" {
					continue
				}
				p, err := netip.ParsePrefix(cidr)
				if err != nil || p.Contains(netip.MustParseAddr("169.254.169.254")) || cidr != "169.254.20.10/32" || len(list(rule, "ports")) == 0 {
					t.Errorf("%s opens %s", name, cidr)
				}
			}
			if len(list(rule, "to")) == 0 {
				t.Errorf("%s opens all", name)
			}
			for _, port := range list(rule, "ports") {
				if n, _ := port["port"].(interface{ String() string }); n.String() != "53" {
					t.Errorf("%s opens port %v", name, port["port"])
				}
			}
		}
	}
	if exits != 2 {
		t.Errorf("%d ways out, want DNS and the environment itself", exits)
	}
	front := got["Service front"]
	if text(front, "spec", "type") != "ClusterIP" || at(front, "spec", "externalIPs") != nil || list(front, "spec", "ports")[0]["nodePort"] != nil {
		t.Errorf("the service reaches out: %v", front)
	}
	if got["NetworkPolicy allow-public-front"] == nil {
		t.Error("nobody can look at what it serves")
	}
	if told := warningsText(out); !strings.Contains(told, "egress restricted: ") || !strings.Contains(told, "NetworkPolicy open") {
		t.Errorf("it is not told:\n%s", told)
	}
}

// TestRestrictedRefuses: what reaches beyond the namespace, or the node, is a fault, even where the project may create it.
func TestRestrictedRefuses(t *testing.T) {
	t.Parallel()
	object := func(api, kind string) string {
		return "apiVersion: " + api + "\nkind: " + kind + "\nmetadata: {name: x}\n"
	}
	pod := func(spec string) string {
		return "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {" + spec + "}\n"
	}
	for name, c := range map[string]struct{ objects, code, says string }{
		"a cluster role":           {object("rbac.authorization.k8s.io/v1", "ClusterRole"), "cluster_kind", "ClusterRole"},
		"a cluster role binding":   {object("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"), "cluster_kind", "ClusterRoleBinding"},
		"a namespace":              {object("v1", "Namespace"), "cluster_kind", "namespace"},
		"a webhook":                {object("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"), "cluster_kind", "MutatingWebhookConfiguration"},
		"a volume of the cluster":  {object("v1", "PersistentVolume"), "cluster_kind", "PersistentVolume"},
		"a definition":             {object("apiextensions.k8s.io/v1", "CustomResourceDefinition"), "cluster_kind", "CustomResourceDefinition"},
		"another namespace":        {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: kube-system}\n", "namespace", "kube-system"},
		"the network of the node":  {pod("hostNetwork: true, containers: [{name: c, image: 'c:1'}]"), "restricted", "hostNetwork"},
		"the processes of it":      {pod("hostPID: true, containers: [{name: c, image: 'c:1'}]"), "restricted", "hostPID"},
		"a privileged container":   {pod("containers: [{name: c, image: 'c:1', securityContext: {privileged: true}}]"), "restricted", "privileged"},
		"too many pods":            {jobOf("parallelism: 11", ""), "restricted", "11 pods"},
		"too much memory":          {jobOf("parallelism: 1", "requests: {memory: 3Gi}"), "restricted", "3Gi of memory"},
		"too much memory at most":  {jobOf("parallelism: 1", "limits: {memory: 5Gi}, requests: {memory: 1Mi}"), "restricted", "5Gi of memory as limits"},
		"too much CPU":             {jobOf("parallelism: 1", "requests: {cpu: 1001m}"), "restricted", "1001m CPU"},
		"too much CPU at most":     {jobOf("parallelism: 9", "limits: {cpu: 1}, requests: {cpu: 1m}"), "restricted", "9 CPU as limits"},
		"too large a volume":       {"apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: d}\nspec: {resources: {requests: {storage: 6Gi}}}\n", "restricted", "6Gi of storage"},
		"too many containers":      {pod("containers: [" + strings.Repeat("{name: c, image: 'c:1', resources: {limits: {cpu: 1m, memory: 1Mi}}}, ", 21) + "]"), "restricted", "10752Mi of the nodes' disks"},
		"nothing that is too much": {jobOf("parallelism: 8", ""), "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := restrictedChart(t, c.objects, func(in *Input) {
				in.Project.ClusterKinds = []string{"ClusterRole", "ClusterRoleBinding", "MutatingWebhookConfiguration", "PersistentVolume", "CustomResourceDefinition"}
			})
			if c.code == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil {
				t.Fatalf("it is made:\n%s", allText(out))
			}
			if !slices.ContainsFunc(invalid(t, err), func(f blueberry.Fault) bool { return f.Code == c.code && strings.Contains(f.Message, c.says) }) {
				t.Errorf("want a fault %s of …%s…: %v", c.code, c.says, err)
			}
		})
	}
}

func jobOf(spec, resources string) string {
	return "apiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\nspec:\n  " + spec + "\n  template: {spec: {containers: [{name: c, image: 'c:1', resources: {" + resources + "}}]}}\n"
}

// TestRestrictedRoom: every workload runs one pod, volumes begin empty, and the quota is the small one.
func TestRestrictedRoom(t *testing.T) {
	t.Parallel()
	out, err := restrictedChart(t, workload("Deployment", "replicas: 7", "requests: {memory: 1Gi, ephemeral-storage: 1Ti}, limits: {ephemeral-storage: 1Ti}")+`---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: x}
spec: {maxReplicas: 80, scaleTargetRef: {kind: Deployment, name: w}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: d}
spec: {volumeName: of-somebody, dataSource: {kind: PersistentVolumeClaim, name: prod}, resources: {requests: {storage: 1Gi}}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: w, annotations: {eks.amazonaws.com/role-arn: "arn:aws:iam::1:role/admin"}}
---
apiVersion: v1
kind: Secret
metadata: {name: t, annotations: {kubernetes.io/service-account.name: default}}
type: kubernetes.io/service-account-token
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: db}
spec: {secretStoreRef: {kind: ClusterSecretStore, name: vault}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: all}
roleRef: {kind: ClusterRole, name: cluster-admin}
subjects: [{kind: ServiceAccount, name: default}]
`)
	if err != nil {
		t.Fatal(err)
	}
	got := decodeFiles(t, out)
	kinds := map[string]bool{}
	for name := range got {
		kind, _, _ := strings.Cut(name, " ")
		kinds[kind] = true
	}
	for _, kind := range []string{"HorizontalPodAutoscaler", "Secret", "ExternalSecret", "RoleBinding"} {
		if kinds[kind] {
			t.Errorf("there is a %s", kind)
		}
		if !strings.Contains(warningsText(out), kind+" ") {
			t.Errorf("%s is not told", kind)
		}
	}
	if got["ServiceAccount w"] != nil || got["ServiceAccount default"]["automountServiceAccountToken"] != false {
		t.Error("an account has more than it should")
	}
	if n := number(got["Deployment w"], 0, "spec", "replicas"); n != 1 {
		t.Errorf("%d pods", n)
	}
	if limit := at(list(got["Deployment w"], "spec", "template", "spec", "containers")[0], "resources", "limits", "memory"); limit != "1Gi" {
		t.Errorf("a container that asks for more than the limit that it would get has the limit %v", limit)
	}
	container := list(got["Deployment w"], "spec", "template", "spec", "containers")[0]
	for _, asked := range []string{"requests", "limits"} {
		if disk := at(container, "resources", asked, "ephemeral-storage"); disk != nil {
			t.Errorf("a container has %v of the disk of a node by its %s, and not what all get", disk, asked)
		}
	}
	if disk := at(list(got["LimitRange environment"], "spec", "limits")[0], "default", "ephemeral-storage"); disk != "512Mi" {
		t.Errorf("of the disk of a node a container gets %v", disk)
	}
	if claim := got["PersistentVolumeClaim d"]; at(claim, "spec", "volumeName") != nil || at(claim, "spec", "dataSource") != nil {
		t.Errorf("the volume of somebody else: %v", claim)
	}
	want := map[string]any{
		"pods": "10", "requests.cpu": "1", "requests.memory": "2Gi", "limits.cpu": "4", "limits.memory": "4Gi", "limits.ephemeral-storage": "10Gi", "persistentvolumeclaims": "4", "requests.storage": "5Gi",
		"services.loadbalancers": "0", "services.nodeports": "0",
	}
	if diff := cmp.Diff(any(want), at(got["ResourceQuota environment"], "spec", "hard")); diff != "" {
		t.Error(diff)
	}
}

// TestCommitOfTheApplication: an image is named by the commit that runs, and nobody else names it.
func TestCommitOfTheApplication(t *testing.T) {
	t.Parallel()
	in := bare(t)
	in.Blueprint.Components = []blueberry.Component{{Name: "web"}}
	in.Blueprint.Computed = map[string]string{"web.image": "registry.example.com/shop:${commit}"}
	_, err := Environment(in)
	if !slices.ContainsFunc(invalid(t, err), func(f blueberry.Fault) bool { return f.Field == "computed[web.image]" && f.Code == "source_required" }) {
		t.Errorf("without a commit: %v", err)
	}
	in.AppCommit = strings.Repeat("ab", 20)
	in.Layers = []blueberry.Layer{overrides(values{"web": values{"image": "registry.example.com/evil:1"}})}
	out, err := Environment(in)
	if err != nil {
		t.Fatal(err)
	}
	if out.Images["web"] != "registry.example.com/shop:"+in.AppCommit {
		t.Errorf("the image is %s", out.Images["web"])
	}
	if strings.Contains(allText(out), "evil") {
		t.Error("an override has won")
	}
}
