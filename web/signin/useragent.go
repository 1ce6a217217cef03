package signin

import "strings"

// Browsers claim to be each other: the first that is found is it.
var agents = []struct{ mark, name string }{
	{"Edg", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser/", "Samsung Internet"}, {"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"},
	{"CriOS/", "Chrome"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"},
}

var systems = []struct{ mark, name string }{
	{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"CrOS", "ChromeOS"}, {"Windows", "Windows"}, {"Macintosh", "Mac"}, {"Linux", "Linux"},
}

// BrowserName says for the mail which browser asked: "Firefox on Windows". Only
// names from the lists get out: the header is any stranger's text.
func BrowserName(userAgent string) string {
	name, system := "", ""
	for _, a := range agents {
		if strings.Contains(userAgent, a.mark) {
			name = a.name
			break
		}
	}
	for _, s := range systems {
		if strings.Contains(userAgent, s.mark) {
			system = s.name
			break
		}
	}
	switch {
	case name == "" || system == "":
		return name + system
	}
	return name + " on " + system
}
