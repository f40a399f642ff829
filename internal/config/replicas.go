package config

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"errand/internal/secret"
)

// Replicas is what one server among several needs to know.
type Replicas struct {
	// ReplicaName names this server in logs and leases; "" takes one at random.
	ReplicaName string `env:"REPLICA_NAME"`
	// NATSURL moves the bus between replicas to NATS; unset keeps it in PostgreSQL.
	// One address or several with commas. It may hold a password.
	NATSURL secret.String `env:"NATS_URL"`
}

var replicaName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

func (r *Replicas) validate(f *Errors) {
	if r.ReplicaName != "" && !replicaName.MatchString(r.ReplicaName) {
		f.add("REPLICA_NAME", "is not a plain name", "1 to 64 letters, digits, dots, dashes or underscores")
	}
	if !r.NATSURL.IsSet() {
		return
	}
	for address := range strings.SplitSeq(r.NATSURL.Reveal(), ",") {
		u, err := url.Parse(strings.TrimSpace(address))
		if err != nil || u.Host == "" || !slices.Contains([]string{"nats", "tls", "ws", "wss"}, u.Scheme) {
			f.add("NATS_URL", "is not the address of a NATS server", "such as nats://host:4222, several with commas")
		}
	}
}
