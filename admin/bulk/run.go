package bulk

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"

	"idp/admin"
	"idp/audit"
)

// batchSize is how many people one transaction makes.
const batchSize = 256

// Counts says what became of the people of a file.
type Counts struct {
	Made    int `json:"made"`    // accounts made
	There   int `json:"there"`   // there already, with the same values
	Refused int `json:"refused"` // lines in a report
}

// Importer takes the people of a file into an instance.
type Importer struct {
	Service *admin.Service
	By      audit.Actor
	DryRun  bool
	Refuse  func(Refusal) error // is told of each line that makes no account, about in the order of the file
	Step    func(Counts)        // is told after each transaction

	counts Counts
	people []admin.Newcomer
	lines  []int
	seed   maphash.Seed
	seen   map[uint64]int // the line of each id, address and username, by its hash
}

// Run reads the file to its end. What it has made before an error stays, and is passed over
// when the file is run again. The entry of the audit log is written in both cases.
func (im *Importer) Run(ctx context.Context, r *Reader) (Counts, error) {
	im.seed, im.seen = maphash.MakeSeed(), map[uint64]int{}
	err := im.all(ctx, r)
	if !im.DryRun {
		err = errors.Join(err, im.Service.ImportDone(context.WithoutCancel(ctx), im.By, im.counts.Made, im.counts.There, im.counts.Refused))
	}
	return im.counts, err
}

func (im *Importer) all(ctx context.Context, r *Reader) error {
	for {
		n, line, err := r.Next()
		var refused *Refusal
		switch {
		case errors.As(err, &refused):
		case errors.Is(err, io.EOF):
			return im.flush(ctx)
		case err != nil:
			return errors.Join(fmt.Errorf("read the file: %w", err), im.flush(ctx))
		default:
			refused = im.again(n, line)
		}
		if refused != nil {
			if err := im.refuse(*refused); err != nil {
				return err
			}
			continue
		}
		im.people, im.lines = append(im.people, n), append(im.lines, line)
		if len(im.people) == batchSize {
			if err := im.flush(ctx); err != nil {
				return err
			}
		}
	}
}

// again refuses who is in the file twice. Of a dry run only this can know.
func (im *Importer) again(n admin.Newcomer, line int) *Refusal {
	keys := [...]struct{ field, value string }{{"email", string(n.Email)}, {"id", n.ID}, {"username", n.Username}}
	for _, k := range keys {
		if k.value == "" {
			continue
		}
		if first, is := im.seen[im.hash(k.field, k.value)]; is {
			return &Refusal{Line: line, ID: n.ID, Email: string(n.Email), Field: k.field, Reason: fmt.Sprintf("is that of line %d", first)}
		}
	}
	for _, k := range keys {
		if k.value != "" {
			im.seen[im.hash(k.field, k.value)] = line
		}
	}
	return nil
}

func (im *Importer) hash(field, value string) uint64 {
	return maphash.String(im.seed, field+"\x00"+value)
}

func (im *Importer) refuse(r Refusal) error {
	im.counts.Refused++
	return im.Refuse(r)
}

// flush makes the accounts that are waiting.
func (im *Importer) flush(ctx context.Context) error {
	if len(im.people) == 0 {
		return nil
	}
	out, err := im.Service.ImportUsers(ctx, im.By, im.people, im.DryRun)
	if err != nil {
		return fmt.Errorf("lines %d to %d: %w", im.lines[0], im.lines[len(im.lines)-1], err)
	}
	for i, o := range out {
		switch n := im.people[i]; {
		case o.Refused != nil:
			err := im.refuse(Refusal{Line: im.lines[i], ID: n.ID, Email: string(n.Email), Field: o.Refused.Field, Reason: o.Refused.Reason, There: o.There})
			if err != nil {
				return err
			}
		case o.There:
			im.counts.There++
		default:
			im.counts.Made++
		}
	}
	im.people, im.lines = im.people[:0], im.lines[:0]
	im.Step(im.counts)
	return nil
}
