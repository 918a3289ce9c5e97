package main

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"

	_ "github.com/mattn/go-sqlite3"
)

// An Event has the fields that this service uses. Unknown fields are ignored.
type Event struct {
	ID       string `json:"id"`
	Type     string `json:"type"`
	Subject  string `json:"subject"`
	Sequence string `json:"sequence"`
	Data     struct {
		Username string  `json:"username"`
		Email    *string `json:"email"`
		CaseID   string  `json:"caseId"`
	} `json:"data"`
}

// An Outcome of Apply: handled, repeated or outdated.
type Outcome string

// UserData is all that this service holds of a user.
type UserData struct {
	ID       string  `json:"id"`
	Username string  `json:"username"`
	Email    *string `json:"email"`
}

const tables = `
	create table if not exists inbox (event_id text primary key, handled_at text not null default current_timestamp);
	create table if not exists sequences (subject_hash text primary key, sequence text not null);
	create table if not exists users (id text primary key, username text not null, email text);`

const insertIntoInbox = `insert into inbox (event_id) values (?) on conflict do nothing`

// SQLite compares text byte by byte, as sequence requires: "0000000002.0000000001" is newer than "0000000002".
const advanceSequence = `
	insert into sequences (subject_hash, sequence) values (?, ?)
	on conflict (subject_hash) do update set sequence = excluded.sequence where excluded.sequence > sequence`

const upsertUser = `
	insert into users (id, username, email) values (?, ?, ?)
	on conflict (id) do update set username = excluded.username, email = excluded.email`

// Store keeps the users, and the two tables that let each event take effect once and in order.
type Store struct{ db *sql.DB }

func openStore(path string) (*Store, error) {
	// secure_delete overwrites what is deleted. Must stay out of WAL mode, whose log keeps old pages until it is reused.
	db, err := sql.Open("sqlite3", "file:"+path+"?_secure_delete=on&_txlock=immediate&_busy_timeout=5000")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	// Inbox rows are kept for longer than an event can wait anywhere. Older repetitions are still refused by their
	// sequence.
	_, err = db.Exec(tables + `; delete from inbox where handled_at < datetime('now', '-60 days')`)
	return &Store{db}, err
}

// hashOf returns the key of sequences. Its rows outlive the user, to refuse late events, so they must not hold the
// user's id.
func hashOf(subject string) string {
	sum := sha256.Sum256([]byte(subject))
	return hex.EncodeToString(sum[:])
}

// Apply applies the event in one transaction.
func (s *Store) Apply(event Event) (Outcome, error) {
	tx, err := s.db.Begin()
	if err != nil {
		return "", err
	}
	defer tx.Rollback()
	outcome, err := apply(tx, event)
	if err != nil {
		return "", err
	}
	return outcome, tx.Commit()
}

func apply(tx *sql.Tx, event Event) (Outcome, error) {
	isNew, err := changes(tx, insertIntoInbox, event.ID)
	if err != nil || !isNew {
		return "repeated", err
	}
	isNewest, err := changes(tx, advanceSequence, hashOf(event.Subject), event.Sequence)
	if err != nil {
		return "", err
	}
	// A request is carried out whenever it arrives; a state must not overwrite a newer one.
	switch {
	case event.Type == "user.erasure_requested":
		_, err = tx.Exec(`delete from users where id = ?`, event.Subject)
	case event.Type == "user.export_requested":
	case !isNewest:
		return "outdated", nil
	case event.Type == "user.deleted":
		_, err = tx.Exec(`delete from users where id = ?`, event.Subject)
	default:
		_, err = tx.Exec(upsertUser, event.Subject, event.Data.Username, event.Data.Email)
	}
	return "handled", err
}

func changes(tx *sql.Tx, query string, values ...any) (bool, error) {
	result, err := tx.Exec(query, values...)
	if err != nil {
		return false, err
	}
	count, err := result.RowsAffected()
	return count > 0, err
}

// HasKnown reports whether an event of this user was ever handled here.
func (s *Store) HasKnown(subject string) (known bool, err error) {
	query := `select exists (select 1 from sequences where subject_hash = ?)`
	err = s.db.QueryRow(query, hashOf(subject)).Scan(&known)
	return known, err
}

// DataOf returns nil if this service holds nothing of the user.
func (s *Store) DataOf(subject string) (*UserData, error) {
	data := UserData{ID: subject}
	query := `select username, email from users where id = ?`
	err := s.db.QueryRow(query, subject).Scan(&data.Username, &data.Email)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return &data, err
}

// Scrub rewrites the file. secure_delete alone misses copies that SQLite left when it moved rows between pages.
func (s *Store) Scrub() error {
	_, err := s.db.Exec(`vacuum`)
	return err
}
