"""policyd: the sockets that Dovecot and Postfix ask on, and what has to outlive it."""
