/* Subscriptions over one WebSocket that comes back by itself: what was
 * subscribed is subscribed again after a reconnection. */

const RETRY_FIRST_MS = 250;
const RETRY_LAST_MS = 4000;
const PING_MS = 5000; /* keeps routers between here and there from closing it */

export class Socket {
  constructor(url) {
    this.url = url;
    this.subscriptions = new Set();
    this.byServerId = new Map();
    this.replies = new Map(); /* request id → what to do with its result */
    this.nextId = 1;
    this.retryMs = RETRY_FIRST_MS;
    this.isOpen = false;
    this.listeners = new Set();
    setInterval(() => this.#send({ jsonrpc: "2.0", method: "ping", params: null }), PING_MS);
    addEventListener("online", () => this.#retryNow());
    this.#connect();
  }

  /* listener(isOpen) now and on every change; returns what ends it. */
  onChange(listener) {
    this.listeners.add(listener);
    listener(this.isOpen);
    return () => this.listeners.delete(listener);
  }

  /* kind: account, signature, ...; onValue(value, context). Returns a function
   * that ends the subscription. */
  subscribe(kind, params, onValue) {
    const subscription = { kind, params, onValue, serverId: null };
    this.subscriptions.add(subscription);
    if (this.isOpen) this.#ask(subscription);
    return () => this.#drop(subscription);
  }

  /* Resolves with the value of a subscription that notifies once. */
  once(kind, params, timeoutMs) {
    return new Promise((resolve, reject) => {
      const end = this.subscribe(kind, params, (value) => {
        clearTimeout(timer);
        end();
        resolve(value);
      });
      const timer = setTimeout(() => {
        end();
        reject(new Error("no notification in time"));
      }, timeoutMs);
    });
  }

  #drop(subscription) {
    this.subscriptions.delete(subscription);
    if (subscription.serverId === null) return;
    this.byServerId.delete(subscription.serverId);
    this.#request(`${subscription.kind}Unsubscribe`, [subscription.serverId], () => {});
    subscription.serverId = null;
  }

  #ask(subscription) {
    this.#request(`${subscription.kind}Subscribe`, subscription.params, (serverId) => {
      if (!this.subscriptions.has(subscription)) {
        this.#request(`${subscription.kind}Unsubscribe`, [serverId], () => {});
        return;
      }
      subscription.serverId = serverId;
      this.byServerId.set(serverId, subscription);
    });
  }

  #request(method, params, onResult) {
    const id = this.nextId++;
    this.replies.set(id, onResult);
    this.#send({ jsonrpc: "2.0", id, method, params });
  }

  #send(message) {
    if (this.isOpen) this.socket.send(JSON.stringify(message));
  }

  #connect() {
    clearTimeout(this.retryTimer);
    this.socket = new WebSocket(this.url);
    this.socket.onopen = () => this.#opened();
    this.socket.onclose = () => this.#closed();
    this.socket.onmessage = ({ data }) => this.#received(JSON.parse(data));
  }

  #retryNow() {
    if (this.socket.readyState === WebSocket.CLOSED) this.#connect();
  }

  #opened() {
    this.isOpen = true;
    this.retryMs = RETRY_FIRST_MS;
    for (const subscription of this.subscriptions) this.#ask(subscription);
    for (const listener of this.listeners) listener(true);
  }

  #closed() {
    const wasOpen = this.isOpen;
    this.isOpen = false;
    this.replies.clear();
    this.byServerId.clear();
    for (const subscription of this.subscriptions) subscription.serverId = null;
    this.retryTimer = setTimeout(() => this.#connect(), this.retryMs);
    this.retryMs = Math.min(2 * this.retryMs, RETRY_LAST_MS);
    if (wasOpen) for (const listener of this.listeners) listener(false);
  }

  #received(message) {
    if (message.params?.subscription !== undefined) {
      const subscription = this.byServerId.get(message.params.subscription);
      const { value, context } = message.params.result;
      subscription?.onValue(value, context);
      return;
    }
    const onResult = this.replies.get(message.id);
    this.replies.delete(message.id);
    if (onResult && message.result !== undefined) onResult(message.result);
  }
}
