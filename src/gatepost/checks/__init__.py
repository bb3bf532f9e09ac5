"""Every check, in report order; what has none yet, and the witness it waits for."""

from __future__ import annotations

from collections.abc import Mapping

from gatepost.catalogue.controls import control, controls
from gatepost.catalogue.remedies import remedies
from gatepost.checks import (
    authentication,
    certificates,
    comparisons,
    patching,
    ports,
    relay,
    starttls,
    tls,
    tls_stack,
)
from gatepost.checks.case import Check
from gatepost.model.explained import Explained

CHECKS: tuple[Check, ...] = (
    ports.host_declared,
    ports.listener_declared,
    ports.begins_as_declared,
    ports.declared_port_answers,
    ports.implicit_tls_offered,
    ports.clear_text_access_ends,
    ports.no_login_on_the_mx_port,
    ports.no_historic_port,
    ports.mail_where_expected,
    comparisons.advertised_encrypted,
    comparisons.implicit_tls_preferred,
    comparisons.advertised_ports_answer,
    relay.helo_checked,
    tls.ssl_refused,
    tls.old_tls_refused,
    tls.old_tls_refused_by_the_mx,
    tls.tls13_offered,
    tls.forward_secret,
    tls.authenticated_encryption,
    tls.suites_of_the_profile,
    tls.no_broken_suite,
    tls.groups_of_the_profile,
    tls.finite_field_strong,
    tls.hybrid_group_offered,
    tls.handshake_signatures_strong,
    certificates.certificates_signed_strongly,
    tls_stack.no_compression,
    tls_stack.secure_renegotiation,
    tls_stack.extended_master_secret,
    tls_stack.clients_cannot_renegotiate,
    tls_stack.no_early_data,
    tls_stack.served_without_sni,
    comparisons.same_protocol_floor,
    starttls.starttls_offered,
    starttls.starttls_works,
    starttls.passwords_only_inside_tls,
    starttls.injected_commands_dropped,
    starttls.nothing_carried_over,
    starttls.starttls_not_offered_again,
    starttls.state_forgotten,
    starttls.nothing_before_tls,
    starttls.strangers_may_come_in_clear,
    starttls.starttls_not_rewritten,
    starttls.no_privilege_before_tls,
    certificates.chain_trusted,
    certificates.chain_complete,
    certificates.chain_in_order,
    certificates.meant_for_servers,
    certificates.logged_in_transparency,
    certificates.name_covered,
    certificates.within_its_dates,
    certificates.renewed_in_time,
    certificates.lifetime_within_rules,
    comparisons.renewal_seen_everywhere,
    comparisons.same_certificate_in_both_families,
    certificates.keys_strong,
    certificates.staples_what_it_must,
    certificates.revocation_reachable,
    certificates.no_wildcard,
    comparisons.one_certificate,
    authentication.mail_needs_login,
    authentication.login_offered,
    authentication.no_anonymous_login,
    authentication.no_outdated_mechanism,
    comparisons.same_mechanisms,
    authentication.client_certificates_only_where_used,
    relay.no_open_relay,
    relay.inner_listener_out_of_reach,
    relay.identity_not_overridden,
    relay.messages_end_once,
    relay.lines_end_in_crlf,
    relay.clients_wait_for_the_greeting,
    relay.users_not_told,
    relay.unknown_users_refused,
    ports.both_families_alike,
    patching.no_vulnerable_version,
    patching.banner_keeps_its_version,
    patching.no_heartbleed,
    patching.no_ccs_injection,
    patching.no_ticketbleed,
    patching.no_robot,
    patching.downgrade_noticed,
    patching.tolerates_the_new,
)

JUDGED_APART = frozenset({"GP-GOV-002"})  # waivers: see checks.waivers

_WITNESSES = {
    "config": "the host's configuration",
    "declaration": "the declaration",
    "dns": "DNS records",
    "firewall": "the firewall's rules",
    "logs": "mail logs",
    "probe": "a probe gatepost does not have yet",
}
_LAST = frozenset({"dns", "probe"})  # named only where nothing else could tell


def _missing(witnesses: tuple[str, ...]) -> str:
    wanted = [w for w in witnesses if w not in _LAST] or list(witnesses)
    return " or ".join(_WITNESSES[w] for w in wanted)


def _manual() -> Mapping[str, str]:
    judged = {one.control for one in CHECKS} | JUDGED_APART
    return {one.id: _missing(one.witnesses) for one in controls() if one.id not in judged}


MANUAL: Mapping[str, str] = _manual()


def explained(name: str) -> Explained:
    """A control with its judges and remedies. Raises UsageError for an unknown id."""
    return Explained(
        control(name),
        tuple((one.name, one.title) for one in CHECKS if one.control == name),
        MANUAL.get(name, ""),
        remedies(name),
    )
