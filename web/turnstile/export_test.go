package turnstile

import "time"

// PatientForTest has a client wait so long for the service's answer that no busy machine outlasts it.
func (c *Client) PatientForTest() { c.http.Timeout = 5 * time.Minute }
