/** Made by the build; see `studio/vite.config.ts`. */
declare module 'virtual:example' {
  export const job: {
    previewRequest: { assets: { id: string; type: string; path: string }[] } & Record<string, unknown>;
  };
  export const files: Record<string, { url: string; sha256: string }>;
}
