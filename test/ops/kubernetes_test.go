package ops

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	strict "sigs.k8s.io/yaml"
)

const manifests = "ops/kubernetes"

// notObjects are files of other programs in the folder of the manifests.
var notObjects = []string{"kustomization.yaml", "prometheus-adapter.yaml"}

// cluster is what the manifests create.
type cluster struct {
	deployment appsv1.Deployment
	service    corev1.Service
	settings   corev1.ConfigMap
	secret     corev1.Secret
	account    corev1.ServiceAccount
	namespace  corev1.Namespace
	disruption policyv1.PodDisruptionBudget
	scaler     autoscalingv2.HorizontalPodAutoscaler
	network    networkingv1.NetworkPolicy
	claim      corev1.PersistentVolumeClaim
	backup     batchv1.CronJob
}

// readManifests decodes all manifests. Unknown and repeated fields are errors, and every kind appears once.
func readManifests(t *testing.T) cluster {
	t.Helper()
	var c cluster
	into := map[string]any{
		"apps/v1 Deployment":                     &c.deployment,
		"v1 Service":                             &c.service,
		"v1 ConfigMap":                           &c.settings,
		"v1 Secret":                              &c.secret,
		"v1 ServiceAccount":                      &c.account,
		"v1 Namespace":                           &c.namespace,
		"policy/v1 PodDisruptionBudget":          &c.disruption,
		"autoscaling/v2 HorizontalPodAutoscaler": &c.scaler,
		"networking.k8s.io/v1 NetworkPolicy":     &c.network,
		"v1 PersistentVolumeClaim":               &c.claim,
		"batch/v1 CronJob":                       &c.backup,
	}
	files, err := filepath.Glob(filepath.Join(root, manifests, "*.yaml"))
	require.NoError(t, err)
	for _, file := range files {
		if contains(notObjects, filepath.Base(file)) {
			continue
		}
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		documents := yaml.NewDocumentDecoder(io.NopCloser(bytes.NewReader(content)))
		for buffer := make([]byte, 1<<20); ; {
			n, err := documents.Read(buffer)
			if err == io.EOF {
				break
			}
			require.NoError(t, err)
			var header struct{ APIVersion, Kind string }
			require.NoError(t, strict.Unmarshal(buffer[:n], &header))
			kind := header.APIVersion + " " + header.Kind
			require.Contains(t, into, kind, file)
			require.NoError(t, strict.UnmarshalStrict(buffer[:n], into[kind], strict.DisallowUnknownFields), file)
			delete(into, kind)
		}
	}
	require.Empty(t, into, "missing, or given twice")
	return c
}

func contains(list []string, name string) bool {
	for _, one := range list {
		if one == name {
			return true
		}
	}
	return false
}

func TestKubernetes_Manifests_FitTogether(t *testing.T) {
	c := readManifests(t)
	labels := c.deployment.Spec.Template.Labels
	for name, selector := range map[string]map[string]string{
		"Deployment":          c.deployment.Spec.Selector.MatchLabels,
		"Service":             c.service.Spec.Selector,
		"PodDisruptionBudget": c.disruption.Spec.Selector.MatchLabels,
		"NetworkPolicy":       c.network.Spec.PodSelector.MatchLabels,
	} {
		require.NotEmpty(t, selector)
		for key, value := range selector {
			require.Equal(t, value, labels[key], name)
		}
	}
	require.Equal(t, c.deployment.Name, c.scaler.Spec.ScaleTargetRef.Name)
	require.Nil(t, c.deployment.Spec.Replicas, "applying the manifests would undo what the autoscaler has set")
	require.Equal(t, c.account.Name, c.deployment.Spec.Template.Spec.ServiceAccountName)
	require.Equal(
		t,
		c.deployment.Spec.Selector,
		c.deployment.Spec.Template.Spec.TopologySpreadConstraints[0].LabelSelector,
	)
}

// TestKubernetes_Pods_RunWithoutPrivilegesAndWithKnownSettings checks what the restricted security standard demands,
// and the settings, ports and volumes against those of the image.
func TestKubernetes_Pods_RunWithoutPrivilegesAndWithKnownSettings(t *testing.T) {
	c, known := readManifests(t), settingNames(t)
	for _, pod := range []corev1.PodSpec{c.deployment.Spec.Template.Spec, c.backup.Spec.JobTemplate.Spec.Template.Spec} {
		require.True(t, *pod.SecurityContext.RunAsNonRoot)
		require.Contains(t, read(t, "Dockerfile"), "\nUSER 65532:65532\n")
		require.EqualValues(t, 65532, *pod.SecurityContext.RunAsUser)
		require.False(t, *pod.AutomountServiceAccountToken)
		volumes := map[string]bool{}
		for _, volume := range pod.Volumes {
			volumes[volume.Name] = true
			if claim := volume.PersistentVolumeClaim; claim != nil {
				require.Equal(t, c.claim.Name, claim.ClaimName)
			}
		}
		for _, container := range append(pod.InitContainers, pod.Containers...) {
			security := container.SecurityContext
			require.True(t, *security.ReadOnlyRootFilesystem, container.Name)
			require.False(t, *security.AllowPrivilegeEscalation, container.Name)
			require.Equal(t, []corev1.Capability{"ALL"}, security.Capabilities.Drop, container.Name)
			require.NotEmpty(t, container.Resources.Limits.Memory().String())
			require.NotZero(t, container.Resources.Requests.Cpu().MilliValue())
			for _, mount := range container.VolumeMounts {
				require.True(t, volumes[mount.Name], mount.Name)
			}
			for _, source := range container.EnvFrom {
				if source.ConfigMapRef != nil {
					require.Equal(t, c.settings.Name, source.ConfigMapRef.Name)
				} else {
					require.Equal(t, c.secret.Name, source.SecretRef.Name)
				}
			}
			for _, variable := range container.Env {
				if strings.HasPrefix(variable.Name, "BACKUP_") {
					require.Contains(t, read(t, "ops/backup.sh"), "${"+variable.Name+":-")
				} else {
					require.Contains(t, known, variable.Name)
				}
				if variable.ValueFrom != nil && variable.ValueFrom.SecretKeyRef != nil {
					require.Contains(t, c.secret.StringData, variable.ValueFrom.SecretKeyRef.Key)
				}
			}
		}
	}
	for name := range c.settings.Data {
		require.Contains(t, known, name)
	}
	for name := range c.secret.StringData {
		require.Contains(t, known, name)
	}
}

func TestKubernetes_ProbesPortsAndTimes_Agree(t *testing.T) {
	c := readManifests(t)
	pod := c.deployment.Spec.Template.Spec
	server := pod.Containers[0]
	ports := map[string]int32{}
	for _, port := range server.Ports {
		ports[port.Name] = port.ContainerPort
	}
	require.EqualValues(t, imagePort(t), ports["http"])
	require.Equal(t, ":8090", c.settings.Data["ADMIN_ADDR"])
	require.EqualValues(t, 8090, ports["metrics"])
	require.Equal(t, "8090", c.deployment.Spec.Template.Annotations["prometheus.io/port"])
	require.Equal(t, "http", c.service.Spec.Ports[0].TargetPort.StrVal)
	for _, rule := range c.network.Spec.Ingress {
		require.Contains(t, ports, rule.Ports[0].Port.StrVal)
	}
	require.Equal(t, "/livez", server.StartupProbe.HTTPGet.Path)
	require.Equal(t, "/livez", server.LivenessProbe.HTTPGet.Path)
	require.Equal(t, "/health", server.ReadinessProbe.HTTPGet.Path)
	// Time to stop: the pause, SHUTDOWN_TIMEOUT, and some more.
	require.Equal(t, "20s", c.settings.Data["SHUTDOWN_TIMEOUT"])
	require.Greater(t, *pod.TerminationGracePeriodSeconds, server.Lifecycle.PreStop.Sleep.Seconds+20)
	require.Equal(t, "0", c.deployment.Spec.Strategy.RollingUpdate.MaxUnavailable.String())
	require.GreaterOrEqual(t, *c.scaler.Spec.MinReplicas, int32(2), "one replica is no redundancy")

	metric := c.scaler.Spec.Metrics[0].Pods.Metric.Name
	require.Contains(t, readMetrics(t), metric)
	require.Contains(t, read(t, manifests+"/prometheus-adapter.yaml"), "as: "+metric+"\n")
	perPod := c.scaler.Spec.Metrics[0].Pods.Target.AverageValue.Value()
	require.Equal(t, "64", c.settings.Data["RUN_CONCURRENCY"])
	require.Less(t, perPod, int64(64))
}

// TestKubernetes_Kustomization_ListsEveryManifest checks the files that kubectl applies, and the images that it
// replaces.
func TestKubernetes_Kustomization_ListsEveryManifest(t *testing.T) {
	var k struct {
		APIVersion string                                   `json:"apiVersion"`
		Kind       string                                   `json:"kind"`
		Namespace  string                                   `json:"namespace"`
		Resources  []string                                 `json:"resources"`
		Images     []struct{ Name, NewName, NewTag string } `json:"images"`
	}
	require.NoError(t, strict.UnmarshalStrict([]byte(read(t, manifests+"/kustomization.yaml")), &k))
	files, err := filepath.Glob(filepath.Join(root, manifests, "*.yaml"))
	require.NoError(t, err)
	for _, file := range files {
		name := filepath.Base(file)
		listed := contains(k.Resources, name)
		isExample := name == "secret.example.yaml" || contains(notObjects, name)
		require.NotEqual(t, isExample, listed, name)
	}
	c := readManifests(t)
	require.Equal(t, c.namespace.Name, k.Namespace)
	require.Equal(t, c.deployment.Spec.Template.Spec.Containers[0].Image, k.Images[0].Name)
	require.Equal(t, c.backup.Spec.JobTemplate.Spec.Template.Spec.Containers[0].Image, k.Images[1].Name)
}
