// Keeps a copy of Rollcall's users. docs/consumers.md explains each step.
//
// Every failure that is not the message's own fault ends the connection. The loop in main connects again after a pause,
// and the broker delivers again what was not acknowledged. So this process may also be killed at any moment.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"math/rand"
	"os"
	"path/filepath"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/xeipuuv/gojsonschema"
)

var (
	amqpURL       = setting("AMQP_URL", "amqp://guest:guest@127.0.0.1:5673")
	exchange      = setting("EXCHANGE", "user_events")
	queue         = setting("QUEUE", "newsletter.users")
	receiptsQueue = setting("RECEIPTS_QUEUE", "rollcall.receipts")
	holder        = setting("HOLDER", "newsletter")
	database      = setting("DATABASE", "newsletter.db")
	schemas       = setting("SCHEMAS", "docs/events/schemas")

	deadLetters = queue + ".dead_letters"
	types       = []string{
		"user.created",
		"user.updated",
		"user.deleted",
		"user.erasure_requested",
		"user.export_requested",
	}
)

const (
	prefetch     = 20
	firstPause   = time.Second
	longestPause = 30 * time.Second
)

func setting(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

// A PoisonError says that no attempt can help: the message is a dead letter. Its text must not quote the message.
type PoisonError string

func (e PoisonError) Error() string { return string(e) }

type validators map[string]*gojsonschema.Schema

func loadValidators() (validators, error) {
	all := validators{}
	for _, name := range types {
		text, err := os.ReadFile(filepath.Join(schemas, name+".v1.json"))
		if err != nil {
			return nil, err
		}
		// The library knows no draft after 7. The schemas use only keywords that 2020-12 has in common with it.
		loader := gojsonschema.NewSchemaLoader()
		loader.Draft, loader.AutoDetect = gojsonschema.Draft7, false
		if all[name], err = loader.Compile(gojsonschema.NewBytesLoader(text)); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return all, nil
}

func parse(body []byte, all validators) (event Event, err error) {
	if !json.Valid(body) {
		return event, PoisonError("Not JSON")
	}
	var envelope struct{ Type string }
	if json.Unmarshal(body, &envelope) != nil || all[envelope.Type] == nil {
		return event, PoisonError("Unknown type")
	}
	result, err := all[envelope.Type].Validate(gojsonschema.NewBytesLoader(body))
	if err != nil {
		return event, PoisonError("Unreadable")
	}
	if !result.Valid() {
		first := result.Errors()[0]
		return event, PoisonError(fmt.Sprintf("Against the schema of %s: %s (%s)", envelope.Type, first.Field(), first.Type()))
	}
	if err := json.Unmarshal(body, &event); err != nil {
		return event, PoisonError("Not an event")
	}
	return event, nil
}

// A session is what one connection has.
type session struct {
	connection *amqp.Connection
	channel    *amqp.Channel
	returns    chan amqp.Return
	store      *Store
}

// declare declares both queues. The exchange is Rollcall's: until it exists, the binding fails, and main tries again.
func declare(channel *amqp.Channel) error {
	// In effect no limit, because removeDeadLetters returns them again and again.
	unlimited := amqp.Table{"x-queue-type": "quorum", "x-delivery-limit": 1_000_000_000}
	if _, err := channel.QueueDeclare(deadLetters, true, false, false, false, unlimited); err != nil {
		return err
	}
	arguments := amqp.Table{
		"x-queue-type": "quorum",
		// A message that came back so often, because it ends the process perhaps, becomes a dead letter by itself.
		"x-delivery-limit":          100,
		"x-dead-letter-exchange":    "",
		"x-dead-letter-routing-key": deadLetters,
		// Of several instances one consumes and the others wait, so that events stay in order.
		"x-single-active-consumer": true,
	}
	if _, err := channel.QueueDeclare(queue, true, false, false, false, arguments); err != nil {
		return err
	}
	for _, name := range types {
		if err := channel.QueueBind(queue, name, exchange, false, nil); err != nil {
			return err
		}
	}
	return nil
}

// send returns once the broker has stored the message. It fails if there is no such queue.
func (s *session) send(queue string, body []byte, headers amqp.Table) error {
	message := amqp.Publishing{
		ContentType:  "application/json",
		DeliveryMode: amqp.Persistent,
		Headers:      headers,
		Body:         body,
	}
	confirmation, err := s.channel.PublishWithDeferredConfirm("", queue, true, false, message)
	if err != nil {
		return err
	}
	if !confirmation.Wait() {
		return fmt.Errorf("the broker did not confirm a message to %s", queue)
	}
	select {
	// A return comes before its confirm.
	case <-s.returns:
		return fmt.Errorf("there is no queue %s", queue)
	default:
		return nil
	}
}

// removeDeadLetters removes those that mention the user. Closing the channel returns the others to their places.
func (s *session) removeDeadLetters(subject string) error {
	channel, err := s.connection.Channel()
	if err != nil {
		return err
	}
	defer channel.Close()
	for {
		message, ok, err := channel.Get(deadLetters, false)
		if err != nil || !ok {
			return err
		}
		if bytes.Contains(message.Body, []byte(subject)) {
			if err := message.Ack(false); err != nil {
				return err
			}
		}
	}
}

type receipt struct {
	CaseID  string    `json:"caseId"`
	Holder  string    `json:"holder"`
	Outcome string    `json:"outcome"`
	Data    *UserData `json:"data,omitempty"`
}

func (s *session) handle(event Event) error {
	wasKnown, err := s.store.HasKnown(event.Subject)
	if err != nil {
		return err
	}
	outcome, err := s.store.Apply(event)
	if err != nil {
		return err
	}
	// Repeated requests are answered again, because the process may have ended before the first answer.
	switch event.Type {
	case "user.erasure_requested":
		err = s.erase(event, wasKnown)
	case "user.export_requested":
		err = s.export(event)
	}
	if err == nil {
		log.Println(outcome, event.Type, event.ID)
	}
	return err
}

func (s *session) erase(event Event, wasKnown bool) error {
	if err := s.removeDeadLetters(event.Subject); err != nil {
		return err
	}
	if err := s.store.Scrub(); err != nil {
		return err
	}
	outcome := "nothing_held"
	if wasKnown {
		outcome = "erased"
	}
	return s.answer(receipt{CaseID: event.Data.CaseID, Outcome: outcome})
}

func (s *session) export(event Event) error {
	data, err := s.store.DataOf(event.Subject)
	if err != nil {
		return err
	}
	outcome := "nothing_held"
	if data != nil {
		outcome = "exported"
	}
	return s.answer(receipt{CaseID: event.Data.CaseID, Outcome: outcome, Data: data})
}

func (s *session) answer(answer receipt) error {
	answer.Holder = holder
	body, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	return s.send(receiptsQueue, body, nil)
}

func (s *session) receive(delivery amqp.Delivery, all validators) error {
	event, err := parse(delivery.Body, all)
	if err == nil {
		err = s.handle(event)
	}
	var poison PoisonError
	if errors.As(err, &poison) {
		err = s.send(deadLetters, delivery.Body, amqp.Table{"reason": poison.Error()})
		log.Println("dead letter:", poison)
	}
	if err != nil {
		return err
	}
	return delivery.Ack(false)
}

// consume returns when the connection ends. onProgress is called after each acknowledgement.
func consume(store *Store, all validators, onProgress func()) error {
	connection, err := amqp.DialConfig(amqpURL, amqp.Config{Heartbeat: 30 * time.Second, Locale: "en_US"})
	if err != nil {
		return err
	}
	defer connection.Close()
	channel, err := connection.Channel()
	if err != nil {
		return err
	}
	if err := channel.Confirm(false); err != nil {
		return err
	}
	if err := channel.Qos(prefetch, 0, false); err != nil {
		return err
	}
	if err := declare(channel); err != nil {
		return err
	}
	deliveries, err := channel.Consume(queue, "", false, false, false, false, nil)
	if err != nil {
		return err
	}
	log.Println("consuming", queue)
	s := &session{connection, channel, channel.NotifyReturn(make(chan amqp.Return, 1)), store}
	for delivery := range deliveries {
		if err := s.receive(delivery, all); err != nil {
			return err
		}
		onProgress()
	}
	return errors.New("the connection or its channel was closed, or the consumer cancelled")
}

func main() {
	store, err := openStore(database)
	if err != nil {
		log.Fatal(err)
	}
	all, err := loadValidators()
	if err != nil {
		log.Fatal(err)
	}
	pause := firstPause
	for {
		err := consume(store, all, func() { pause = firstPause })
		// Also the database's: the message waits in the queue meanwhile.
		log.Printf("connecting again in up to %v: %v", pause, err)
		time.Sleep(pause/2 + time.Duration(rand.Int63n(int64(pause/2))))
		if pause *= 2; pause > longestPause {
			pause = longestPause
		}
	}
}
