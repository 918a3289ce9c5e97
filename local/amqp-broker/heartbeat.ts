export interface Heart {
  /** Whether anything was sent, or received, since the last question. */
  hasSent(): boolean;
  hasReceived(): boolean;
  beat(): void;
  /** Nothing came for two intervals (AMQP 0-9-1, section 4.2.7). */
  dead(): void;
}

/** Looks every half interval; returns what stops it. */
export function startHeartbeat(seconds: number, heart: Heart): () => void {
  let silent = 0;
  const timer = setInterval(() => {
    if (!heart.hasSent()) heart.beat();
    silent = heart.hasReceived() ? 0 : silent + 1;
    if (silent >= 4) heart.dead();
  }, seconds * 500);
  return () => clearInterval(timer);
}
