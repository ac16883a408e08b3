/** Who sends: a few projects, each with a key of its own, so that the places of one project are counted too. */
export const PROJECTS = ['docs', 'shop', 'help', 'blog'];

export const keyOf = (projectId: string): string => `${projectId}-key-of-the-bench`;
