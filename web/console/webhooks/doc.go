// Package webhooks is the console's pages of webhooks: where is posted to when something
// happens, and what became of it.
//
//	GET  /console/webhooks                        the list, and how each gets on
//	GET  /console/webhooks/new                    a new one; POST makes it, and shows its signing key once
//	GET  /console/webhooks/ID                     where and what is posted; POST saves
//	POST /console/webhooks/ID/enabled             turns it on (on=1) or off
//	POST /console/webhooks/ID/key                 another signing key, shown once
//	POST /console/webhooks/ID/delete              deletes it
//	GET  /console/webhooks/ID/test                a test; POST sends it, and shows the answer
//	GET  /console/webhooks/ID/deliveries          what became of deliveries (event, state)
//	GET  /console/webhooks/ID/deliveries/DELIVERY one of them
package webhooks
