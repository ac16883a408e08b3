/**
 * One call for all that is asked within one turn of the event loop: for what costs by the call, such as a command to Redis.
 * @param ask answers in the order of its questions
 */
export function createBatch<Question, Answer>(
  ask: (questions: Question[]) => Promise<Answer[]>,
): (question: Question) => Promise<Answer> {
  let asked: Question[] = [];
  let answers: Promise<Answer[]> | undefined;
  return async (question) => {
    const turn = asked.push(question) - 1;
    answers ??= new Promise((resolve) => {
      setImmediate(() => {
        const questions = asked;
        asked = [];
        answers = undefined;
        resolve(ask(questions));
      });
    });
    return (await answers)[turn] as Answer;
  };
}
