'use strict';
// What the samples leave to the application: a channel to the other side.

/** Text over the WebSocket that the page's server has. */
class SignalingChannel {
  #socket = new WebSocket(`ws://${location.host}/signaling`);
  #open = new Promise((resolve) => (this.#socket.onopen = resolve));
  constructor() {
    this.#socket.onmessage = ({data}) => this.received(data);
    this.#socket.onclose = () => {
      document.getElementById('state').value = 'the program has left: reload the page when it runs again';
    };
  }
  received(data) {
    this.onmessage?.({data});
  }
  async send(text) {
    await this.#open;
    this.#socket.send(text);
  }
}

/** The same for samples whose channel "handles JSON.stringify/parse". */
class JsonSignalingChannel extends SignalingChannel {
  received(text) {
    const {desc, candidate} = JSON.parse(text);
    super.received({description: desc, candidate});
  }
  send({description, candidate}) {
    return super.send(JSON.stringify(description ? {desc: description} : {candidate}));
  }
}
