/**
 * Sockets that came to a stream since its viewers were last counted, and the count that each was told. When the next count is told to nobody,
 * because it is what it was, some of them may still think otherwise: others left while they came, or it changed while they were away.
 */
export class WelcomedSockets {
  private told = new Map<string, number | undefined>();

  /** @param count undefined for a socket whose room came back, and which was told none */
  add(socketId: string, count?: number): void {
    this.told.set(socketId, count);
  }

  /** Those that came until now, and are told with this look; whoever comes later waits for the next one. */
  take(): WelcomedSockets {
    const taken = new WelcomedSockets();
    [taken.told, this.told] = [this.told, taken.told];
    return taken;
  }

  whoDoesNotKnow(count: number): string[] {
    return [...this.told].filter(([, known]) => known !== count).map(([socketId]) => socketId);
  }
}
