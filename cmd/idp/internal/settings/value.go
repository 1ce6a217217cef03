package settings

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"idp/mailer/sns"
	"idp/store"
	"idp/store/address"
)

// Duration is a time.Duration that may be written in days: 14d, 1d12h.
type Duration time.Duration

// UnmarshalText reads 90s, 10m, 12h, 14d, 1d12h.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := parseDuration(string(text))
	if err != nil || v <= 0 {
		return fmt.Errorf("%q is no duration: write it like 60s, 10m, 12h or 14d", text)
	}
	*d = Duration(v)
	return nil
}

func (d Duration) String() string {
	v := time.Duration(d)
	switch {
	case v >= 48*time.Hour && v%(24*time.Hour) == 0:
		return itoa(int(v/(24*time.Hour))) + "d"
	case v%time.Hour == 0:
		return itoa(int(v/time.Hour)) + "h"
	case v%time.Minute == 0:
		return itoa(int(v/time.Minute)) + "m"
	}
	return v.String()
}

func parseDuration(text string) (time.Duration, error) {
	days, rest, ok := strings.Cut(text, "d")
	if !ok {
		return time.ParseDuration(text)
	}
	n, err := strconv.ParseUint(days, 10, 16)
	if err != nil {
		return 0, err
	}
	d := time.Duration(n) * 24 * time.Hour
	if rest == "" {
		return d, nil
	}
	more, err := time.ParseDuration(rest)
	return d + more, err
}

// Windows is a limit: 30/5m,100/h. Empty is no limit, written off.
type Windows []store.Window

// maxWindows is how many windows one budget row holds.
const maxWindows = len(store.Limit{}.Windows)

// UnmarshalText reads count/period, two at most, separated by commas, or off.
func (w *Windows) UnmarshalText(text []byte) error {
	*w = nil
	if string(text) == "off" {
		return nil
	}
	for part := range strings.SplitSeq(string(text), ",") {
		count, period, ok := strings.Cut(strings.TrimSpace(part), "/")
		n, err := strconv.Atoi(count)
		if !ok || err != nil || n < 1 {
			return fmt.Errorf("%q is no limit: write count/period like 30/5m or 100/h, or off", part)
		}
		if period != "" && (period[0] < '0' || period[0] > '9') {
			period = "1" + period
		}
		d, err := parseDuration(period)
		if err != nil || d < time.Second || d > 366*24*time.Hour {
			return fmt.Errorf("%q is no limit: the period is between 1s and 366d, like 5m, h or 24h", part)
		}
		*w = append(*w, store.Window{Count: n, Period: d})
	}
	if len(*w) > maxWindows {
		return fmt.Errorf("%q: a limit has at most %d windows", text, maxWindows)
	}
	return nil
}

func (w Windows) String() string {
	if len(w) == 0 {
		return "off"
	}
	parts := make([]string, len(w))
	for i, one := range w {
		period := Duration(one.Period).String()
		if n, unit, ok := strings.Cut(period, "1"); ok && n == "" && len(unit) == 1 {
			period = unit
		}
		parts[i] = itoa(one.Count) + "/" + period
	}
	return strings.Join(parts, ",")
}

// Networks are networks.
type Networks []netip.Prefix

// UnmarshalText reads comma-separated CIDRs; a bare address is one host.
func (p *Networks) UnmarshalText(text []byte) error {
	*p = nil
	for part := range strings.SplitSeq(string(text), ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		if a, err := netip.ParseAddr(part); err == nil {
			*p = append(*p, netip.PrefixFrom(a, a.BitLen()))
			continue
		}
		network, err := netip.ParsePrefix(part)
		if err != nil {
			return fmt.Errorf("%q is no network: write it like 10.0.0.0/8 or fd00::/8", part)
		}
		*p = append(*p, network.Masked())
	}
	return nil
}

// Topics are SNS topics.
type Topics []sns.Topic

// UnmarshalText reads comma-separated ARNs.
func (t *Topics) UnmarshalText(text []byte) error {
	*t = nil
	for part := range strings.SplitSeq(string(text), ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		topic, err := sns.ParseTopic(part)
		if err != nil {
			return err
		}
		*t = append(*t, topic)
	}
	return nil
}

func itoa(n int) string { return strconv.Itoa(n) }

// Emails are addresses of people.
type Emails []store.Email

// UnmarshalText reads addresses separated by commas.
func (e *Emails) UnmarshalText(text []byte) error {
	*e = nil
	for part := range strings.SplitSeq(string(text), ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		email, err := address.Parse(part)
		if err != nil {
			return fmt.Errorf("%q is no email address", part)
		}
		*e = append(*e, email)
	}
	return nil
}
