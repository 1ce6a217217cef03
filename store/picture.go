package store

// Picture is a logo or an icon that we serve ourselves.
type Picture struct {
	Hash string // SHA-256 of Data, in hex
	Type string // its media type
	Data []byte
}

// PicturesPath is where pictures are, by their hash.
const PicturesPath = "/pictures/"
