// A Go client (zishang520/socket.io) against the echo server: events, binary, acknowledgements both
// ways, a namespace.
//
//	interop URL TRANSPORTS       TRANSPORTS: default, websocket or polling
package main

import (
	"bytes"
	"fmt"
	"os"
	"time"

	"github.com/zishang520/socket.io/clients/engine/v3/transports"
	"github.com/zishang520/socket.io/clients/socket/v3"
	server "github.com/zishang520/socket.io/servers/socket/v3"
	"github.com/zishang520/socket.io/v3/pkg/types"
)

const patience = 10 * time.Second

func fail(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(1)
}

// await returns what arrives first, or ends the program.
func await(what string, arrived <-chan []any) []any {
	select {
	case args := <-arrived:
		return args
	case <-time.After(patience):
		fail("not within %v: %s", patience, what)
		return nil
	}
}

func listen(s *socket.Socket, event string) <-chan []any {
	arrived := make(chan []any, 200)
	s.On(types.EventName(event), func(args ...any) { arrived <- args })
	return arrived
}

func options(kind string) *socket.Options {
	o := socket.DefaultOptions()
	o.SetReconnection(false)
	o.SetAutoConnect(false)
	switch kind {
	case "websocket":
		o.SetTransports(types.NewSet(transports.WebSocket))
	case "polling":
		o.SetTransports(types.NewSet(transports.Polling))
	}
	return o
}

func toBytes(value any) []byte {
	switch v := value.(type) {
	case []byte:
		return v
	case types.BufferInterface:
		return v.Bytes()
	}
	fail("no bytes: %T", value)
	return nil
}

func main() {
	url, kind := os.Args[1], os.Args[2]
	manager := socket.NewManager(url, options(kind))
	opened := make(chan []any, 1)
	manager.Open(func(err error) { opened <- []any{err} })
	if args := await("connection", opened); args[0] != nil && args[0].(error) != nil {
		fail("connection: %v", args[0])
	}
	// Sockets of a connection that is open ask to join once; one that opens meanwhile lets this
	// library ask twice.
	s := manager.Socket("/", nil)
	auth, back := listen(s, "auth"), listen(s, "message-back")
	answered := listen(s, "answered")
	s.On("question", func(args ...any) {
		args[len(args)-1].(server.Ack)([]any{args[0].(string) + "!"}, nil)
	})
	s.Connect()
	await("auth", auth)

	for n := 0; n < 100; n++ {
		s.Emit("message", n, "text")
	}
	for n := 0; n < 100; n++ {
		if args := await("echo", back); args[0] != float64(n) || args[1] != "text" {
			fail("echo %d is %v", n, args)
		}
	}
	big := bytes.Repeat([]byte{0, 30, 98, 255}, 20000)
	s.Emit("message", big)
	if got := toBytes(await("binary echo", back)[0]); !bytes.Equal(got, big) {
		fail("%d bytes came back of %d", len(got), len(big))
	}
	acknowledged := make(chan []any, 1)
	s.EmitWithAck("message-with-ack", "one")(func(args []any, err error) {
		if err != nil {
			fail("acknowledgement: %v", err)
		}
		acknowledged <- args
	})
	if args := await("acknowledgement", acknowledged); args[0] != "one" {
		fail("acknowledged %v", args)
	}
	s.Emit("ask", "really")
	if args := await("answer", answered); args[0] != "really!" {
		fail("answered %v", args)
	}

	nowhere := manager.Socket("/nowhere", nil)
	refused := listen(nowhere, "connect_error")
	nowhere.Connect()
	await("refusal of an unknown namespace", refused)
	custom := manager.Socket("/custom", nil)
	welcome := listen(custom, "auth")
	custom.Connect()
	await("auth of /custom", welcome)
	fmt.Println("ok", kind)
}
