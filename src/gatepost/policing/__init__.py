"""Answers at the login itself: allow, delay or deny one attempt, and the requests that Dovecot and Postfix send.

Finer than a ban. The digest of the password that Dovecot sends along tells a telephone with an old password from
somebody who guesses, which no log can.
"""
