package config

import (
	"fmt"
	"slices"
	"time"

	"idp/admin"
	"idp/store"
)

// ClientSecret is a secret of a client.
type ClientSecret struct {
	Name      string    `yaml:"name" json:"name"`
	Secret    Secret    `yaml:"secret" json:"secret"`
	ExpiresAt time.Time `yaml:"expiresAt,omitempty" json:"expiresAt,omitzero"` // if it is not there: never
}

// checkSecrets finds what can be found before anything is done. at is where the client is
// among those that are there, -1 for one that is new.
func (in Instance) checkSecrets(c *Client, there []Client, at int) error {
	for k, s := range c.Secrets {
		if k > 0 && c.Secrets[k-1].Name == s.Name {
			return errTwice("secret", s.Name)
		}
		if s.Secret.Stored {
			var has ClientSecret
			is := at >= 0
			if is {
				has, is = find(there[at].Secrets, func(t ClientSecret) bool { return t.Name == s.Name })
			}
			switch {
			case !is:
				return fmt.Errorf("secrets[%s]: %w", s.Name, errNotStored)
			case !s.ExpiresAt.IsZero() && !s.ExpiresAt.Equal(has.ExpiresAt):
				return fmt.Errorf("secrets[%s]: expiresAt: cannot be changed: make another secret", s.Name)
			}
			c.Secrets[k].ExpiresAt = has.ExpiresAt
			continue
		}
		text, err := in.secret(s.Secret)
		c.Secrets[k].ExpiresAt = s.ExpiresAt.UTC().Truncate(time.Microsecond) // as it is kept
		if err == nil && len(text) < minClientSecret {
			err = fmt.Errorf("has %d characters; it has %d at least", len(text), minClientSecret)
		}
		if err != nil {
			return fmt.Errorf("secrets[%s]: %w", s.Name, err)
		}
	}
	return nil
}

// minClientSecret keeps secrets out that could be guessed: what is kept of them is a plain hash.
const minClientSecret = 32

// secretsToChange tells which secrets a client is to get, and which to lose: one that has
// changed is both.
func (in Instance) secretsToChange(before, after Client) (add []ClientSecret, drop []string, err error) {
	kept := map[string]bool{}
	for _, s := range after.Secrets {
		i := slices.IndexFunc(before.has, func(h store.ClientSecret) bool { return admin.SecretName(h) == s.Name })
		if s.Secret.Stored {
			kept[s.Name] = i >= 0
			continue
		}
		text, err := in.secret(s.Secret)
		if err != nil {
			return nil, nil, err
		}
		if i >= 0 && before.has[i].Hash.Equal(store.HashOf([]byte(text))) && before.has[i].ExpiresAt.Equal(s.ExpiresAt) {
			kept[s.Name] = true
			continue
		}
		add = append(add, s)
	}
	for _, h := range before.has {
		if name := admin.SecretName(h); !kept[name] {
			drop = append(drop, name)
		}
	}
	return add, drop, nil
}
