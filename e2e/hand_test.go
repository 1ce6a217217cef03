package e2e_test

import (
	"encoding/json"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// The hand acts on a page as people do: by the words that they see on it, never by ids.

// hand marks the element that words stand on, and tells of it "": there is none yet, "stays",
// or "leaves": a click on it leads to another page. Of several it is the first that says just
// this, else the first that begins so, else the first that has it somewhere.
const hand = `(kind, words) => {
	const plain = s => s.replace(/\s+/g, ' ').trim().toLowerCase();
	const seen = e => e.checkVisibility({visibilityProperty: true, opacityProperty: true}) && e.getBoundingClientRect().width > 1 && !e.closest('[aria-hidden=true], .unseen');
	document.querySelectorAll('[data-hand]').forEach(e => e.removeAttribute('data-hand'));
	if (document.readyState !== 'complete') return '';
	const all = [...document.querySelectorAll(kind === 'field' ? 'label' : 'a[href], button, summary, label')]
		.filter(e => kind === 'field' ? e.control && !e.control.disabled : seen(e) && !e.disabled)
		.map(e => [e, plain(e.innerText || e.getAttribute('aria-label') || e.textContent)]);
	const want = plain(words);
	const hit = all.find(([, t]) => t === want) ?? all.find(([, t]) => t.startsWith(want)) ?? all.find(([, t]) => t.includes(want));
	if (!hit) return '';
	const e = kind === 'field' ? hit[0].control : hit[0];
	for (let d = e.closest('details:not([open])'); d && !d.querySelector(':scope > summary')?.contains(e); d = e.closest('details:not([open])')) d.open = true;
	e.setAttribute('data-hand', '');
	e.scrollIntoView({block: 'center', behavior: 'instant'});
	return e.matches('a[href]:not([href^="#"]):not([target])') || e.matches('button:not([type=button]):not([formtarget])') && e.form ? 'leaves' : 'stays';
}`

const handed = chromedp.CSS(`[data-hand]`)

// finds waits for an element, and marks it.
func (b tab) finds(kind, words string) (leaves bool) {
	b.t.Helper()
	args, _ := json.Marshal([]string{kind, words})
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if found, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`(`+hand+`)(...`+string(args)+`)`)); err == nil && found != "" {
			return found == "leaves"
		}
	}
	b.t.Fatalf("the page has no %s %q:\n%s\n%s", kind, words, get(b, chromedp.Location()), get(b, chromedp.Evaluate[string](bodyText)))
	return false
}

// clicks clicks on a link, a button or a label, and waits for the page that it leads to.
func (b tab) clicks(words string) {
	b.t.Helper()
	leaves := b.finds("click", words)
	get(b, chromedp.Evaluate[bool](`window.isOld = true`))
	b.do(chromedp.Click(handed))
	for deadline := time.Now().Add(15 * time.Second); leaves && time.Now().Before(deadline); time.Sleep(30 * time.Millisecond) {
		if fresh, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](`!window.isOld && document.readyState === 'complete'`)); err == nil && fresh {
			return
		}
	}
	if leaves {
		b.t.Fatalf("a click on %q leads nowhere:\n%s", words, get(b, chromedp.Evaluate[string](bodyText)))
	}
}

// fills types into the field under a label, in the place of what is there.
func (b tab) fills(label, text string) {
	b.t.Helper()
	b.finds("field", label)
	get(b, chromedp.Evaluate[bool](`(() => { const e = document.querySelector('[data-hand]'); e.focus(); e.select(); return true; })()`))
	set(b, input.InsertText, input.InsertTextParams{Text: text})
	if got := b.reads(label); got != text {
		b.t.Fatalf("%s holds %q, not %q", label, got, text)
	}
}

// picks chooses an option of the list under a label.
func (b tab) picks(label, option string) {
	b.t.Helper()
	b.finds("field", label)
	args, _ := json.Marshal([]string{option})
	if !get(b, chromedp.Evaluate[bool](`(option => { const e = document.querySelector('[data-hand]');
		const o = [...e.options].find(o => o.text.trim() === option) ?? [...e.options].find(o => o.text.includes(option));
		if (!o) return false;
		e.value = o.value;
		for (const type of ['input', 'change']) e.dispatchEvent(new Event(type, {bubbles: true}));
		return true; })(...`+string(args)+`)`)) {
		b.t.Fatalf("%s has no %q", label, option)
	}
}

// reads gives what stands in the field under a label.
func (b tab) reads(label string) string {
	b.t.Helper()
	b.finds("field", label)
	return get(b, chromedp.Evaluate[string](`document.querySelector('[data-hand]').value`))
}
