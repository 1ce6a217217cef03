package webtest

import (
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
)

// Person is one browser.
type Person struct {
	*Fixture
	HTTP    *http.Client
	Headers http.Header
}

// Person comes with a browser that has never been here.
func (f *Fixture) Person() *Person {
	client := *f.Server.Client()
	client.Jar, _ = cookiejar.New(nil)
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Person{f, &client, http.Header{"User-Agent": {"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}}}
}

// Shown is a page that a person is shown.
type Shown struct {
	*Person
	Status int
	Header http.Header
	Body   string
}

// Do sends a request.
func (p *Person) Do(method, path string, form url.Values) *Shown {
	p.Helper()
	if !strings.HasPrefix(path, "http") {
		path = p.Server.URL + path
	}
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(p.Context(), method, path, body)
	p.Must(err)
	for name, values := range p.Headers {
		r.Header[name] = values
	}
	if form != nil && r.Header.Get("Content-Type") == "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := p.HTTP.Do(r)
	p.Must(err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	p.Must(err)
	return &Shown{p, res.StatusCode, res.Header, string(text)}
}

// Get opens a page.
func (p *Person) Get(path string) *Shown { p.Helper(); return p.Do(http.MethodGet, path, nil) }

// Post sends a form.
func (p *Person) Post(path string, form url.Values) *Shown {
	p.Helper()
	return p.Do(http.MethodPost, path, form)
}

// Authorize is where the app sends the browser to.
func Authorize(more ...string) string {
	q := url.Values{
		"client_id": {"shop"}, "redirect_uri": {Callback}, "response_type": {"code"}, "scope": {"openid email"},
		"state": {"xyz"}, "code_challenge": {Challenge}, "code_challenge_method": {"S256"},
	}
	for i := 0; i < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	return "/oidc/auth?" + q.Encode()
}

// Location is where a redirect leads.
func (s *Shown) Location() string { return s.Header.Get("Location") }

// Follow goes where a 303 points to.
func (s *Shown) Follow() *Shown {
	s.Helper()
	if s.Status != http.StatusSeeOther {
		s.Fatalf("status %d, want a redirect\n%s", s.Status, s.Text())
	}
	return s.Get(s.Location())
}

var (
	formTag  = regexp.MustCompile(`(?s)<form[^>]* action="([^"]*)"[^>]*>(.*?)</form>`)
	inputTag = regexp.MustCompile(`<input[^>]*>`)
	areaTag  = regexp.MustCompile(`(?s)<textarea[^>]* name="([^"]*)"[^>]*>\n?(.*?)</textarea>`)
	listTag  = regexp.MustCompile(`(?s)<select[^>]* name="([^"]*)"[^>]*>(.*?)</select>`)
	option   = regexp.MustCompile(`<option value="([^"]*)"( selected)?`)
	attr     = regexp.MustCompile(`(name|value)="([^"]*)"`)
	linkTag  = regexp.MustCompile(`(?s)<a[^>]* href="([^"]*)"[^>]*>(.*?)</a>`)
	tag      = regexp.MustCompile(`<[^>]*>`)
)

// Submit fills in the form that posts to a path, and sends it.
func (s *Shown) Submit(path string, fields ...string) *Shown {
	s.Helper()
	return s.Post(s.Action(path), s.Form(path, fields...))
}

// Action is where the form that posts to a path posts to, with its query.
func (s *Shown) Action(path string) string {
	s.Helper()
	return html.UnescapeString(s.formTo(path)[1])
}

// HasForm tells whether a form posts to a path.
func (s *Shown) HasForm(path string) bool { return s.findForm(path) != nil }

// formTo is the form that posts to a path: its tag, its action, what is in it.
func (s *Shown) formTo(path string) []string {
	s.Helper()
	f := s.findForm(path)
	if f == nil {
		s.Fatalf("no form posts to %s:\n%s", path, s.Text())
	}
	return f
}

func (s *Shown) findForm(path string) []string {
	for _, f := range formTag.FindAllStringSubmatch(s.Body, -1) {
		if to, _, _ := strings.Cut(f[1], "?"); to == path {
			return f
		}
	}
	return nil
}

// Form is the fields of the form that posts to a path, some of them filled in.
func (s *Shown) Form(path string, fields ...string) url.Values {
	s.Helper()
	values := url.Values{}
	within := s.formTo(path)[2]
	for _, area := range areaTag.FindAllStringSubmatch(within, -1) {
		values.Set(area[1], html.UnescapeString(area[2]))
	}
	for _, list := range listTag.FindAllStringSubmatch(within, -1) {
		for i, o := range option.FindAllStringSubmatch(list[2], -1) {
			if i == 0 || o[2] != "" { // as browsers do
				values.Set(list[1], html.UnescapeString(o[1]))
			}
		}
	}
	for _, input := range inputTag.FindAllString(within, -1) {
		box := strings.Contains(input, ` type="checkbox"`)
		if strings.Contains(input, " disabled") {
			continue
		}
		if (box || strings.Contains(input, ` type="radio"`)) && !strings.Contains(input, " checked") { // as browsers do
			continue
		}
		var name, value string
		for _, a := range attr.FindAllStringSubmatch(input, -1) {
			if a[1] == "name" {
				name = a[2]
			} else {
				value = html.UnescapeString(a[2])
			}
		}
		if box {
			values.Add(name, value) // boxes of one name
			continue
		}
		values.Set(name, value)
	}
	for i := 0; i < len(fields); i += 2 {
		values.Set(fields[i], fields[i+1])
	}
	return values
}

// Link is the address of the link that reads like text.
func (s *Shown) Link(text string) string {
	s.Helper()
	for _, l := range linkTag.FindAllStringSubmatch(s.Body, -1) {
		if strings.TrimSpace(tag.ReplaceAllString(html.UnescapeString(l[2]), "")) == text {
			return html.UnescapeString(l[1])
		}
	}
	s.Fatalf("no link reads %q:\n%s", text, s.Text())
	return ""
}

// Text is what there is to read.
func (s *Shown) Text() string {
	return strings.Join(strings.Fields(html.UnescapeString(tag.ReplaceAllString(s.Body, " "))), " ")
}

// Want holds the page to a status and to texts.
func (s *Shown) Want(status int, texts ...string) *Shown {
	s.Helper()
	if s.Status != status {
		s.Errorf("status %d, want %d: %s", s.Status, status, s.Text())
	}
	for _, text := range texts {
		if !strings.Contains(s.Text(), text) {
			s.Errorf("the page lacks %q: %s", text, s.Text())
		}
	}
	return s
}

// WantTo holds the answer to a redirect to an address.
func (s *Shown) WantTo(location string) *Shown {
	s.Helper()
	if s.Status != http.StatusSeeOther || s.Location() != location {
		s.Errorf("status %d to %q, want a redirect to %q: %s", s.Status, s.Location(), location, s.Text())
	}
	return s
}

// Wrong is a code that is not code.
func Wrong(code string) string {
	last := code[len(code)-1]
	return code[:len(code)-1] + string('0'+(last-'0'+1)%10)
}

// ToCode goes to the code page, on the way that screen (an action) is.
func (p *Person) ToCode(screen, email string) *Shown {
	p.Helper()
	first := "sign_in"
	if screen == "/register" {
		first = "register"
	}
	return p.Get(Authorize("first_screen", first)).Submit(screen, "email", email).Follow().Want(http.StatusOK, email)
}

// SignedUp makes an account for the person, who is signed in then. It takes the first
// mail to the address.
func (p *Person) SignedUp(email string) *Person {
	p.Helper()
	p.ToCode("/register", email).Submit("/verify", "code", p.Code(email, 1)).Want(http.StatusSeeOther)
	return p
}

// SignedIn signs in somebody who has an account, with mail number n to the address;
// whoever was signed in before in this browser is not any more.
func (p *Person) SignedIn(email string, n int) *Person {
	p.Helper()
	page := p.Get(Authorize("prompt", "login")).Submit("/sign-in", "email", email).Follow()
	page.Submit("/verify", "code", p.Code(email, n)).Want(http.StatusSeeOther)
	return p
}

// Register makes an account, in a browser of its own.
func (f *Fixture) Register(email string) { f.Helper(); f.Person().SignedUp(email) }

// Has ends the test if the page does not hold a text, as it stands in its source.
func (s *Shown) Has(text string) *Shown {
	s.Helper()
	if !strings.Contains(s.Body, text) {
		s.Fatalf("no %q on the page\n%s", text, s.Text())
	}
	return s
}

// Lacks is the reverse of [Shown.Has].
func (s *Shown) Lacks(text string) *Shown {
	s.Helper()
	if strings.Contains(s.Body, text) {
		s.Fatalf("%q is on the page\n%s", text, s.Text())
	}
	return s
}
