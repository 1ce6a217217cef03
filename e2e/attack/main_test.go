package attack_test

import (
	"testing"

	"idp/e2e/rig"
)

func TestMain(m *testing.M) { rig.Main(m) }
