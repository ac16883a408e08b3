/**
 * The slots in which this worker delivers, and for each project the line of messages that wait for one. A message that
 * finds no slot goes back into the queue until it is called: meanwhile it takes up nothing of the worker, and does not come
 * again and again to ask.
 */
export interface DeliverySlots<Message> {
  /** Takes a slot; false where the project may have no more. */
  take(projectId: string, id: string): boolean;
  /** @returns the message that is to be called into the slot */
  release(projectId: string, now: number): Message | undefined;
  /**
   * Gives a message a place in the line.
   * @returns when it is to come without a call: who was to call it may have been killed. From then on any worker may have it
   */
  lineUp(projectId: string, id: string, now: number): number;
  /** From now on the message lies in the queue, and can be called. */
  canBeCalled(projectId: string, id: string, message: Message): void;
}

interface Project<Message> {
  taken: number;
  /** In the order in which they are called. */
  line: Map<string, { until: number; message?: Message }>;
}

/** What one project may have of the free slots: the more projects are slow, the less each has, and some are always left. */
const SHARE = 1 / 8;
/** So often one message comes without a call, however many wait. */
const UNCALLED_MS = 200;

/** @param limits of messages that are delivered at once */
export function createDeliverySlots<Message>(limits: {
  ofAll: number;
  ofProject: number;
}): DeliverySlots<Message> {
  const projects = new Map<string, Project<Message>>();
  let free = limits.ofAll;
  let waiting = 0;

  const projectOf = (projectId: string): Project<Message> => {
    const project = projects.get(projectId) ?? { taken: 0, line: new Map() };
    projects.set(projectId, project);
    return project;
  };
  const leave = ({ line }: Project<Message>, id: string): void => {
    if (line.delete(id)) waiting--;
  };
  /** The first one that can be called. Those whose time is over have come without a call. */
  const callFrom = (project: Project<Message>, now: number): Message | undefined => {
    for (const [id, { message, until }] of project.line) {
      if (until <= now || message) leave(project, id);
      if (until > now && message) return message;
    }
    return undefined;
  };

  return {
    take(projectId, id) {
      const project = projectOf(projectId);
      if (project.taken >= Math.min(limits.ofProject, Math.max(1, free * SHARE))) return false;
      leave(project, id);
      project.taken++;
      free--;
      return true;
    },
    release(projectId, now) {
      const project = projectOf(projectId);
      project.taken--;
      free++;
      const next = callFrom(project, now);
      if (project.taken === 0 && project.line.size === 0) projects.delete(projectId);
      return next;
    },
    lineUp(projectId, id, now) {
      const { line } = projectOf(projectId);
      if (!line.has(id)) waiting++;
      const until = now + UNCALLED_MS * waiting;
      line.set(id, { until });
      return until;
    },
    canBeCalled(projectId, id, message) {
      const waits = projectOf(projectId).line.get(id);
      if (waits) waits.message = message;
    },
  };
}
