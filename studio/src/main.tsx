import { render } from 'preact';
import './styles/base.css';
import './styles/controls.css';
import './styles/editor.css';
import './styles/cards.css';
import './styles/player.css';
import './styles/pages.css';
import './styles/job.css';
import './styles/queue.css';
import { App } from './app.tsx';

const root = document.getElementById('studio');
if (root) render(<App />, root);
