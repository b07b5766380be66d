package console

import (
	"cmp"
	"context"
	"net/url"
	"time"
)

// patience is that of a console which says nothing of it.
const patience = time.Second

// wholeWord is the word of an address that has a page come whole, however long that takes.
const wholeWord = "whole"

// early opens a page that asks targets, or other parts of the installation. Where they are slow to answer, a browser is shown first what the record has of it,
// with a skeleton of the rest, and asks for the whole of it then, also without the script. Who reads pages otherwise waits.
func early(first, whole func(*visit) (page, error)) func(*visit) (page, error) {
	return func(v *visit) (page, error) {
		if v.follows != nil || v.r.Header.Get("Sec-Fetch-Dest") != "document" || v.r.URL.Query().Has(wholeWord) {
			return whole(v)
		}
		hurried := *v
		var cancel context.CancelFunc
		hurried.ctx, cancel = context.WithCancel(v.ctx)
		defer cancel()
		over := time.AfterFunc(cmp.Or(v.Patience, patience), cancel) // what is given up so looks like a reader who went away, which is nothing to tell of
		p, err := whole(&hurried)
		if over.Stop() || v.ctx.Err() != nil {
			return p, err
		}
		if p, err = first(v); err == nil {
			q := v.r.URL.Query()
			q.Set(wholeWord, "1")
			v.w.Header().Set("Refresh", "0; url="+(&url.URL{Path: v.r.URL.Path, RawQuery: q.Encode()}).String())
			p.Watch = interest{} // the whole of it is about to come
		}
		return p, err
	}
}

// ofEnvironment is a page of one environment with what the record has of it.
func ofEnvironment(tab, title string) func(*visit) (page, error) {
	return func(v *visit) (page, error) {
		e, err := v.environment(tab)
		return e.page(title, page{Body: earlyEnvironment(e)}), err
	}
}

// ofInstallation is a page of the operators before anything is known.
func ofInstallation(title, here string) func(*visit) (page, error) {
	return func(*visit) (page, error) {
		return page{Title: title, Here: here, Body: earlyPage(title)}, nil
	}
}

// ownQuery is what a page was asked for, without the words that only say how it is shown.
func ownQuery(v *visit) url.Values {
	q := v.r.URL.Query()
	for _, word := range []string{"shown", "done", wholeWord} {
		q.Del(word)
	}
	return q
}
