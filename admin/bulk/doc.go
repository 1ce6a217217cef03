// Package bulk reads and writes people in files, of any length in little memory.
//
// Three forms are read: CSV with a line of titles (RFC 4180), JSON lines (an object a line),
// and a JSON array of objects, which is what Logto's API answers. The fields are those of
// the export: id, email, name, username, avatar, profile, customData, createdAt, suspended,
// roles; Logto's names for them are read as well, and what else Logto tells of a person is
// passed over. A field that nobody knows is refused by name.
//
// One line that cannot be read spoils no other: a [Refusal] says its number, the field and
// the reason, and the rest goes on. The exception is a CSV quote that is never closed: what
// follows is inside it, and is refused with it, for to read it as lines would let the text
// of a field become a person.
package bulk
