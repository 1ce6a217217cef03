package deploy_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"idp/e2e/rig"
)

// The program takes each settings file of the folder deploy as it is.
func TestSettingsFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	save(t, secret, []byte(rig.TestSecret))
	for _, file := range []string{"systemd/idp.yaml", "idp.compose.yaml", "kubernetes/idp.yaml"} {
		text := rig.Must(os.ReadFile("../../deploy/" + file))
		text = bytes.ReplaceAll(text, []byte("/etc/idp/secret"), []byte(secret))
		path := filepath.Join(dir, "idp.yaml")
		save(t, path, text)
		// Nothing listens there, which is the only thing to say about it.
		cmd := exec.Command(rig.Binary, "health", "--config", path, "--listen", rig.FreeAddr(t))
		cmd.Env, cmd.Dir = rig.CleanEnv(), dir
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(string(out), "no answer") {
			t.Errorf("%s: %v\n%s", file, err, out)
		}
	}
}

// The unit has no mistake that systemd knows, and no more rights than it is said to have.
func TestSystemdUnit(t *testing.T) {
	t.Parallel()
	unit := filepath.Join(t.TempDir(), "idp.service")
	text := string(rig.Must(os.ReadFile("../../deploy/systemd/idp.service")))
	if !strings.Contains(text, "ExecStart=/usr/local/bin/idp serve") {
		t.Fatal("what does the unit start?")
	}
	save(t, unit, []byte(strings.ReplaceAll(text, "/usr/local/bin/idp", rig.Binary)))
	if out, err := exec.Command("systemd-analyze", "verify", unit).CombinedOutput(); err != nil || len(bytes.TrimSpace(out)) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
	if out, err := exec.Command("systemd-analyze", "security", "--offline=true", "--threshold=20", unit).CombinedOutput(); err != nil {
		t.Errorf("systemd-analyze security: %v\n%s", err, out)
	}
}

// Each document is YAML, and what has to agree does: names that lead to one another, and
// the time that a pod has to end in.
func TestKubernetes(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../deploy/kubernetes/*.yaml")
	if err != nil || len(files) < 8 {
		t.Fatal(files, err)
	}
	kinds := map[string]string{}
	for _, file := range files {
		if filepath.Base(file) == "idp.yaml" {
			continue // settings
		}
		text := rig.Must(os.ReadFile(file))
		var doc struct {
			Kind       string
			APIVersion string `yaml:"apiVersion"`
		}
		if err := yaml.Unmarshal(text, &doc); err != nil || doc.Kind == "" || doc.APIVersion == "" {
			t.Errorf("%s: %+v %v", file, doc, err)
		}
		kinds[doc.Kind] = string(text)
	}
	var deployment struct {
		Spec struct {
			Replicas int
			Strategy struct {
				RollingUpdate struct {
					MaxUnavailable int `yaml:"maxUnavailable"`
				} `yaml:"rollingUpdate"`
			}
			Template struct {
				Metadata struct{ Labels map[string]string }
				Spec     struct {
					Grace        int   `yaml:"terminationGracePeriodSeconds"`
					ServiceLinks *bool `yaml:"enableServiceLinks"`
					Containers   []struct {
						Ports []struct{ Name string }
						Env   []struct{ Name string }
					}
				}
			}
		}
	}
	if err := yaml.Unmarshal([]byte(kinds["Deployment"]), &deployment); err != nil {
		t.Fatal(err)
	}
	d := deployment.Spec
	if d.Replicas < 2 || d.Strategy.RollingUpdate.MaxUnavailable != 0 || d.Template.Spec.Grace < 30 {
		t.Errorf("%+v", d)
	}
	var settings struct {
		StopDelay string `yaml:"stop_delay"`
	}
	if err := yaml.Unmarshal(rig.Must(os.ReadFile("../../deploy/kubernetes/idp.yaml")), &settings); err != nil {
		t.Fatal(err)
	}
	// Requests and mails in hand are ended after the delay, before the pod is killed.
	delay, err := time.ParseDuration(settings.StopDelay)
	if grace := time.Duration(d.Template.Spec.Grace) * time.Second; err != nil || delay < 10*time.Second || grace < delay+15*time.Second {
		t.Errorf("the pod is killed after %s, and stops after %s: %v", grace, delay, err)
	}
	// A service called idp makes variables that begin with IDP_, which are no settings.
	if d.Template.Spec.ServiceLinks == nil || *d.Template.Spec.ServiceLinks {
		t.Error("the variables of services are taken for settings")
	}
	for _, kind := range []string{"Service", "PodDisruptionBudget", "NetworkPolicy", "Deployment"} {
		if !strings.Contains(kinds[kind], "app.kubernetes.io/name: idp") {
			t.Errorf("the %s does not say whose it is", kind)
		}
	}
	for _, e := range d.Template.Spec.Containers[0].Env {
		if !strings.HasPrefix(e.Name, "IDP_") {
			t.Errorf("%s is none of ours", e.Name)
		}
	}
}

// The image is built of the files that the ignore file lets through, by the command in the
// Dockerfile: without a daemon, in a folder of its own.
func TestDockerfileBuilds(t *testing.T) {
	t.Parallel()
	text := string(rig.Must(os.ReadFile("../../deploy/Dockerfile")))
	command := regexp.MustCompile(`go build (.*) -o /out/idp (\S+)`).FindStringSubmatch(text)
	if command == nil || !strings.Contains(command[1], "-trimpath") {
		t.Fatal("what does the Dockerfile build?")
	}
	mod := string(rig.Must(os.ReadFile("../../go.mod")))
	if toolchain := regexp.MustCompile(`(?m)^toolchain go(\S+)$`).FindStringSubmatch(mod); toolchain == nil || !strings.Contains(text, "FROM --platform=$BUILDPLATFORM golang:"+toolchain[1]+"-") {
		t.Errorf("the Dockerfile builds with another Go than go.mod names: %v", toolchain)
	}
	dir := t.TempDir()
	tracked := rig.Must(exec.Command("git", "-C", "../..", "ls-files", "-z", "--cached", "--others", "--exclude-standard").Output())
	ignore := strings.Fields(regexp.MustCompile(`(?m)^#.*$`).ReplaceAllString(string(rig.Must(os.ReadFile("../../deploy/Dockerfile.dockerignore"))), ""))
	copied := 0
	for name := range strings.SplitSeq(strings.TrimRight(string(tracked), "\x00"), "\x00") {
		source := filepath.Join("../..", name)
		if info, err := os.Stat(source); err != nil || info.IsDir() || !inImage(name, ignore) {
			continue
		}
		copied++
		target := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			t.Fatal(err)
		}
		save(t, target, rig.Must(os.ReadFile(source)))
	}
	if copied < 300 {
		t.Fatalf("only %d files go in", copied)
	}
	arguments := strings.NewReplacer("$VERSION", "image", `"`, "").Replace(command[1])
	flags, link, _ := strings.Cut(arguments, "-ldflags ")
	// With the profile, or without paths, everything is compiled anew, which takes minutes: that they are there is enough.
	profile := regexp.MustCompile(`-pgo=(\S+)`).FindStringSubmatch(flags)
	if profile == nil {
		t.Fatal("the image is compiled without a profile")
	}
	if _, err := os.Stat(filepath.Join(dir, profile[1])); err != nil {
		t.Error(err)
	}
	flags = strings.NewReplacer(profile[0], "-pgo=off", "-trimpath", "").Replace(flags)
	build := exec.Command("go", append(append([]string{"build"}, strings.Fields(flags)...), "-ldflags", link, "-o", filepath.Join(dir, "out"), command[2])...)
	build.Dir, build.Env = dir, append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-mod=readonly")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if out := string(rig.Must(exec.Command(filepath.Join(dir, "out"), "version").Output())); !strings.HasPrefix(out, "idp image (") {
		t.Errorf("idp version: %s", out)
	}
}

// inImage reads an ignore file as Docker does: the last pattern that matches a file, or a
// folder that it is in, decides.
func inImage(name string, patterns []string) bool {
	in := true
	for _, p := range patterns {
		p, take := strings.CutPrefix(p, "!")
		expr := strings.NewReplacer(`\*\*/`, `(.*/)?`, `\*`, `[^/]*`).Replace(regexp.QuoteMeta(p))
		if regexp.MustCompile(`^` + expr + `(/.*)?$`).MatchString(name) {
			in = take
		}
	}
	return in
}
