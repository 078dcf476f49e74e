/** What is worked off side by side; these figures bound the memory and the connections that pushes take. */
export interface QueueLimits {
  /** Under way at a time, urgent and not. */
  inFlight: number;
  /** Of these, the places that only urgent tasks take: however slow the others are, an urgent one finds a free place. */
  reserved: number;
  /** Waiting tasks of each kind, urgent and not. */
  waiting: number;
}

/** Tasks that wait for their turn: the urgent ones first, and of each kind the oldest first. A full line drops its oldest. */
export class PushQueue<T> {
  private readonly urgent: T[] = [];
  private readonly patient: T[] = [];
  private readonly running = new Set<Promise<void>>();
  private patientRunning = 0;

  /**
   * @param work must not reject
   * @param dropped is called for each task that had to make room
   */
  constructor(
    private readonly limits: QueueLimits,
    private readonly work: (task: T) => Promise<void>,
    private readonly dropped: (task: T) => void,
  ) {}

  /** Whether it is so full that what can wait elsewhere should. */
  get isCrowded(): boolean {
    return this.urgent.length + this.patient.length > this.limits.waiting / 2;
  }

  add(task: T, isUrgent: boolean): void {
    const line = isUrgent ? this.urgent : this.patient;
    line.push(task);
    const oldest = line.length > this.limits.waiting ? line.shift() : undefined;
    if (oldest !== undefined) this.dropped(oldest);
    this.start();
  }

  /** Takes out everything that has not begun. */
  takeWaiting(): T[] {
    return [...this.urgent.splice(0), ...this.patient.splice(0)];
  }

  /** Resolves when what has begun by now has ended. */
  async settle(): Promise<void> {
    await Promise.all(this.running);
  }

  private start(): void {
    while (this.running.size < this.limits.inFlight) {
      const urgent = this.urgent.shift();
      const isPatient = urgent === undefined;
      if (isPatient && this.patientRunning >= this.limits.inFlight - this.limits.reserved) return;
      const task = urgent ?? this.patient.shift();
      if (task === undefined) return;
      if (isPatient) this.patientRunning += 1;
      const run = this.work(task).finally(() => {
        this.running.delete(run);
        if (isPatient) this.patientRunning -= 1;
        this.start();
      });
      this.running.add(run);
    }
  }
}
