import './about.css'

/** What this is, the keys, and whose data the sample is. */
export function About() {
  return (
    <main className="about">
      <article className="about__text">
        <p>
          <a href="#/">← Conversations</a>
        </p>
        <h1>About this app</h1>
        <p>
          Parley keeps a user’s conversation list, and what belongs to it, in one document: unread counts,
          pins, mutes, drafts. The document lives in this browser and is synced with the server that served
          this page. Nothing waits for the network, and what several devices do is merged without losing any
          of it.
        </p>
        <p>
          The messages themselves are not Parley’s business: an app has a chat server for them. In this
          demonstration that server is a small stand-in which runs in your browser, so what you send reaches
          only yourself.
        </p>
        <h2>Things to try</h2>
        <ul>
          <li>
            Open <a href="#/devices">two devices side by side</a>, take them off the network, and let them
            meet again.
          </li>
          <li>Open this page in a second window and type in the same conversation in both.</li>
          <li>Delete a conversation, then let somebody write to it (in the menu: Inspector).</li>
          <li>Go offline, send something, reload, and go online again.</li>
        </ul>
        <h2>Keys</h2>
        <dl className="keys">
          <dt>
            <kbd>↑</kbd> <kbd>↓</kbd>
          </dt>
          <dd>Move in the list; also Home, End and the page keys</dd>
          <dt>
            <kbd>Enter</kbd>
          </dt>
          <dd>Open a conversation; in the composer: send</dd>
          <dt>
            <kbd>Shift</kbd> <kbd>Enter</kbd>
          </dt>
          <dd>A new line</dd>
          <dt>
            <kbd>U</kbd>
          </dt>
          <dd>Mark as read or unread</dd>
          <dt>
            <kbd>P</kbd> <kbd>M</kbd> <kbd>E</kbd> <kbd>Delete</kbd>
          </dt>
          <dd>Pin, mute, archive, delete</dd>
          <dt>
            <kbd>Ctrl</kbd> <kbd>Z</kbd>
          </dt>
          <dd>
            Undo the last action in the list; press it again for the one before (outside of text fields)
          </dd>
          <dt>
            <kbd>Shift</kbd> <kbd>F10</kbd>
          </dt>
          <dd>All actions for a conversation</dd>
          <dt>
            <kbd>/</kbd>
          </dt>
          <dd>Search</dd>
          <dt>
            <kbd>Esc</kbd>
          </dt>
          <dd>From the composer back to the list. Letters act there a second after the last one was typed</dd>
        </dl>
        <h2>The sample conversations</h2>
        <p>
          8 days of the public #ubuntu IRC channel, from the Ubuntu IRC logs as collected in J. K. Kummerfeld,
          S. R. Gouravajhala, J. Peper, V. Athreya, C. Gunasekara, J. Ganhotra, S. S. Patel, L. Polymenakos
          and W. S. Lasecki, <em>A Large-Scale Corpus for Conversation Disentanglement</em>, ACL 2019. The
          data is licensed under{' '}
          <a href="https://creativecommons.org/licenses/by/4.0/" target="_blank" rel="noreferrer noopener">
            CC BY 4.0
          </a>
          . It was reshaped: message ids, sequence numbers and the conversations between two people are ours.
        </p>
      </article>
    </main>
  )
}
