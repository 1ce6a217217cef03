package signin

import (
	"strings"

	"idp/store"
)

// mailbox is where a person's mails are read.
type mailbox struct {
	Name string // "" for the development mailbox
	URL  string
}

var (
	gmail   = &mailbox{"Gmail", "https://mail.google.com/"}
	outlook = &mailbox{"Outlook", "https://outlook.live.com/mail/"}
	yahoo   = &mailbox{"Yahoo Mail", "https://mail.yahoo.com/"}
	yahooJP = &mailbox{"Yahoo!メール", "https://mail.yahoo.co.jp/"}
	icloud  = &mailbox{"iCloud Mail", "https://www.icloud.com/mail/"}
	proton  = &mailbox{"Proton Mail", "https://mail.proton.me/"}
)

var mailboxes = map[string]*mailbox{
	"gmail.com": gmail, "googlemail.com": gmail,
	"outlook.com": outlook, "outlook.jp": outlook, "hotmail.com": outlook, "hotmail.co.jp": outlook, "live.com": outlook, "live.jp": outlook, "msn.com": outlook,
	"yahoo.com": yahoo, "ymail.com": yahoo, "rocketmail.com": yahoo, "yahoo.co.jp": yahooJP,
	"icloud.com": icloud, "me.com": icloud, "mac.com": icloud,
	"proton.me": proton, "protonmail.com": proton, "pm.me": proton,
}

// mailboxOf gives the shortcut for an address, or nil.
func (p *Pages) mailboxOf(e store.Email) *mailbox {
	if p.Mailbox != "" { // no mail leaves this instance
		return p.mailbox
	}
	return mailboxes[domainOf(e)]
}

func domainOf(e store.Email) string { return string(e[strings.LastIndexByte(string(e), '@')+1:]) }
