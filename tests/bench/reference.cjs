// The reference server with the handlers that fanout.c uses; prints its port.
//     node reference.cjs           NODE_PATH: where socket.io and ws are installed
"use strict";
const { Server } = require("socket.io");
const server = require("node:http").createServer();
const io = new Server(server, { perMessageDeflate: false, maxHttpBufferSize: 1e6 });
io.on("connection", (socket) => {
  socket.emit("auth", socket.handshake.auth);
  socket.on("message", (...args) => socket.emit("message-back", ...args));
  socket.on("shout", (room, ...args) => (room ? io.to(room) : io).emit("heard", room, ...args));
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.on("SIGTERM", () => process.exit(0));
