import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { apiKey, setApiKey } from './api/call.ts';
import { Button, Field, invalid } from './ui/controls.tsx';

/** Asks for an API key if the service needs one. */
export function SignIn(): JSX.Element {
  const field = useRef<HTMLInputElement>(null);
  const key = useSignal('');
  const refused = apiKey.value !== '';
  useEffect(() => field.current?.focus(), []);
  const error = refused
    ? 'this key is not accepted; see that it is whole, or ask for another one'
    : undefined;
  return (
    <form
      class="sign-in"
      onSubmit={(event) => {
        event.preventDefault();
        const value = key.value.trim();
        if (!value) return;
        // Check the same key again, too.
        if (value === apiKey.peek()) setApiKey('');
        setApiKey(value);
      }}
    >
      <h1>Sign in</h1>
      <p class="muted">This service needs an API key. It is kept only in this tab, until you close it.</p>
      <Field id="key" label="API key" error={error}>
        <input
          id="key"
          ref={field}
          type="password"
          autocomplete="off"
          spellcheck={false}
          value={key.value}
          onInput={(event) => (key.value = event.currentTarget.value)}
          {...invalid('key', error)}
        />
      </Field>
      <Button kind="primary" type="submit">
        Sign in
      </Button>
    </form>
  );
}
