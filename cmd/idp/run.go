package main

import (
	"bytes"
	"context"
	"errors"
	"log"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"
)

// Bounds of a request. A page takes milliseconds; these are for peers that stall.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 15 * time.Second
	writeTimeout      = 30 * time.Second
	idleTimeout       = 3 * time.Minute // longer than proxies keep one (Caddy: 2 min), or a request meets the closing
	maxHeaderBytes    = 32 << 10        // a sealed request with 2 kB of state is 6 kB of URL
	stopTimeout       = 10 * time.Second
)

// site is one address and what is served there.
type site struct {
	name string
	ln   net.Listener
	http *http.Server
}

func (s *server) add(name string, ln net.Listener, h http.Handler) {
	s.sites = append(s.sites, site{name, ln, &http.Server{
		Handler:           h,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          log.New(complaints{s.log}, "", 0),
	}})
}

// complaints are what net/http has to say. Strangers who break off a TLS handshake, or
// speak something else, are no news.
type complaints struct{ log *slog.Logger }

// Write implements [io.Writer].
func (c complaints) Write(line []byte) (int, error) {
	level := slog.LevelWarn
	if bytes.HasPrefix(line, []byte("http: TLS handshake error")) {
		level = slog.LevelDebug
	}
	c.log.Log(context.Background(), level, string(bytes.TrimSpace(line)))
	return len(line), nil
}

// run serves until ctx ends or a part fails. Then it stops in this order: balancers
// turn away, no new requests, requests in flight, mails in hand.
func (s *server) run(ctx context.Context) error {
	work, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWork()
	broken := make(chan error, len(s.sites))
	var workers sync.WaitGroup
	workers.Go(func() {
		if err := s.queue.Run(work); err != nil {
			s.log.Error("stop the mail queue", "err", err)
		}
	})
	workers.Go(func() { s.codes.Run(work) })
	workers.Go(func() { s.provider.Run(work) })
	workers.Go(func() { s.purge(work) })
	workers.Go(func() { s.sealer.Run(work) })
	workers.Go(func() { s.webhooks.Run(work) })
	workers.Go(func() { s.makeKeys(work) })
	workers.Go(func() { giveBack(work) })
	if s.certificate != nil {
		workers.Go(func() { s.certificate.Run(work) })
	}
	for _, one := range s.sites {
		go func() {
			serve := one.http.Serve
			if one.http.TLSConfig != nil {
				serve = func(ln net.Listener) error { return one.http.ServeTLS(ln, "", "") }
			}
			if err := serve(one.ln); !errors.Is(err, http.ErrServerClosed) {
				broken <- err
			}
		}()
		s.log.Info(one.name+" listens", "address", one.ln.Addr().String())
	}
	s.log.Info("idp started", "version", buildVersion(), "endpoint", s.options.endpoint.String(), "issuer", s.provider.Issuer(), "engine", s.in.name())
	if s.started != nil {
		s.started()
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-broken:
	}
	s.stopping.Store(true)
	if delay := time.Duration(s.options.StopDelay); delay > 0 && err == nil {
		s.log.Info("stopping: not ready any more, serving until balancers have turned to others", "delay", delay)
		select {
		case err = <-broken:
		case <-time.After(delay):
		}
	}
	s.log.Info("stopping: finishing requests in flight")
	err = errors.Join(err, s.shutdown(ctx))
	s.in.db.Hurry()
	stopWork()
	workers.Wait()
	s.log.Info("stopped")
	return err
}

// parting has connections end with their next answer once the server stops: a balancer
// that keeps connections open would else send a request into one at the moment in which
// it is closed, and cannot know whether it was served.
func (s *server) parting(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.stopping.Load() {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// shutdown closes the listeners and waits for requests in flight.
func (s *server) shutdown(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	var wait sync.WaitGroup
	for _, one := range s.sites {
		wait.Go(func() {
			if err := one.http.Shutdown(ctx); err != nil {
				s.log.Warn("requests in flight took too long and were cut off", "err", err)
				_ = one.http.Close()
			}
		})
	}
	wait.Wait()
	return nil
}

// How often dead rows are looked for, and how many are removed at a time: small
// batches let sign-ins through between.
const (
	purgeEvery = 10 * time.Second
	purgeBatch = 500
	purgePause = 100 * time.Millisecond
)

// purge removes dead rows until ctx ends. Replicas do it at different moments.
func (s *server) purge(ctx context.Context) {
	for {
		wait := purgeEvery/2 + rand.N(purgeEvery)
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(wait):
			}
			n, err := s.in.db.Purge(ctx, purgeBatch)
			if err != nil && ctx.Err() == nil {
				s.log.Warn("remove dead rows", "err", err)
			}
			if n < purgeBatch/2 { // few of what was looked at was dead: no hurry
				break
			}
			wait = purgePause
		}
	}
}

// makeKeys has the provider make and load its keys, again and again while the
// database is away. It runs beside the listeners: the first RSA key of an
// instance takes up to a second.
func (s *server) makeKeys(ctx context.Context) {
	for {
		err := s.provider.Start(ctx)
		if err == nil {
			s.keysMade.Store(true)
		}
		if err == nil || ctx.Err() != nil {
			return
		}
		s.log.Error("make the signing keys", "err", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(2 * time.Second):
		}
	}
}
