"""Every check, in report order; what has none yet, and the witness it waits for."""

from __future__ import annotations

from collections.abc import Mapping

from gatepost.catalogue.controls import control, controls
from gatepost.catalogue.remedies import remedies
from gatepost.checks import (
    advertised,
    authentication,
    caa,
    certificates,
    comparisons,
    dane,
    exchangers,
    files,
    firewall,
    hosting,
    identity,
    listeners,
    patching,
    policy,
    ports,
    relay,
    segmentation,
    signing,
    software,
    starttls,
    sts,
    tls,
    tls_stack,
    traffic,
    transport,
)
from gatepost.checks.case import Check
from gatepost.checks.settings.judges import SETTINGS
from gatepost.model.explained import Explained

_FROM_PORTS: tuple[Check, ...] = (
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
    transport.requiretls_offered,
)

_FROM_DNS: tuple[Check, ...] = (
    advertised.settings_as_declared,
    advertised.declared_services_told,
    caa.caa_published,
    caa.caa_permits_authority_in_use,
    caa.caa_as_declared,
    caa.caa_understood,
    identity.one_spf_record,
    identity.spf_valid,
    identity.spf_within_limits,
    identity.spf_ends_in_refusal,
    identity.spf_admits_own_senders,
    identity.spf_admits_no_strangers,
    identity.every_spf_term_counts,
    identity.parked_spf_refuses_everybody,
    identity.parked_dmarc_rejects,
    identity.parked_takes_no_mail,
    identity.parked_has_no_keys,
    signing.selectors_published,
    signing.mail_signed_and_aligned,
    signing.dkim_records_valid,
    signing.dkim_keys_strong,
    signing.dkim_signs_with_sha256,
    signing.dkim_out_of_test,
    signing.rsa_beside_ed25519,
    signing.dkim_keys_rotated,
    signing.retired_selectors_withdrawn,
    signing.no_forgotten_keys,
    policy.dmarc_published,
    policy.dmarc_valid,
    policy.dmarc_without_obsolete_tags,
    policy.dmarc_reports_requested,
    policy.report_targets_agree,
    policy.walk_and_list_agree,
    policy.dmarc_enforced,
    policy.subdomains_enforced,
    policy.invented_names_enforced,
    policy.dmarc_out_of_test,
    policy.dmarc_reports_read,
    policy.sources_aligned,
    exchangers.sending_address_has_its_name,
    exchangers.declared_senders_have_names,
    exchangers.greets_with_its_name,
    exchangers.exchangers_can_be_reached,
    exchangers.exchangers_have_both_families,
    exchangers.mx_as_declared,
    sts.sts_published,
    sts.sts_valid,
    sts.sts_policy_fetched,
    sts.sts_enforced,
    sts.sts_kept_long_enough,
    sts.sts_change_bumps_id,
    sts.sts_covers_every_mx,
    sts.sts_patterns_in_use,
    sts.sts_certificates_accepted,
    sts.sts_agrees_with_dane,
    transport.tls_reports_requested,
    transport.tls_rpt_valid,
    transport.tls_reports_read,
    transport.sessions_succeed,
    transport.domain_signed,
    transport.exchangers_signed,
    dane.tlsa_published,
    dane.tlsa_signed,
    dane.tlsa_usable,
    dane.tlsa_matches,
    dane.tlsa_of_clients_matches,
    dane.tlsa_outlives_renewal,
    dane.next_key_published_first,
    dane.pinned_authority_may_change,
    dane.pinned_authority_served,
    dane.tlsa_few_enough,
)

_FROM_HOST: tuple[Check, ...] = (
    *SETTINGS,
    files.keys_kept_private,
    files.keys_not_shared,
    files.keys_fit,
    files.named_files_exist,
    files.served_from_disk,
    files.configuration_in_use,
    files.configuration_loads,
    software.distribution_in_support,
    software.packages_fixed,
    hosting.passwords_stored_hashed,
    hosting.incoming_mail_checked,
    hosting.client_certificates_meant_for_clients,
)

_FROM_FIREWALL: tuple[Check, ...] = (
    listeners.configured_services_declared,
    listeners.sockets_declared,
    listeners.nothing_hides_behind_the_firewall,
    listeners.declared_ports_have_listeners,
    firewall.denied_by_default,
    firewall.families_admitted_alike,
    firewall.ways_closed_and_not_only_unused,
    firewall.limited_to_the_declared,
    firewall.reached_from_the_declared_only,
    firewall.mail_leaves_only_from_relays,
    firewall.no_mail_past_the_relay,
    firewall.rules_as_declared,
    firewall.declared_ports_admitted,
    firewall.reached_where_declared,
    firewall.life_support_passes,
    firewall.bans_hold,
    segmentation.kept_from_inner_networks,
    segmentation.inner_networks_out_of_its_reach,
    segmentation.stores_kept_in,
    segmentation.stores_out_of_reach,
    segmentation.filters_kept_in,
    segmentation.filters_out_of_reach,
    segmentation.reinjection_kept_in,
    segmentation.reinjection_out_of_reach,
    segmentation.consoles_kept_in,
    segmentation.consoles_out_of_reach,
    segmentation.logins_from_the_management_network,
    segmentation.tiers_encrypted,
    segmentation.containers_behind_the_firewall,
)

_FROM_LOGS: tuple[Check, ...] = (
    traffic.nobody_logs_in_in_clear,
    traffic.users_stay_off_the_relay_port,
    traffic.sessions_tell_their_tls,
    traffic.clients_have_addresses_of_their_own,
)

CHECKS: tuple[Check, ...] = (*_FROM_PORTS, *_FROM_DNS, *_FROM_HOST, *_FROM_FIREWALL, *_FROM_LOGS)
FROM_DNS = frozenset(one.control for one in _FROM_DNS)
"""Controls that a run without a mail domain says little or nothing about."""
FROM_INSIDE = frozenset(one.control for one in (*_FROM_HOST, *_FROM_FIREWALL)) - frozenset(
    one.control for one in (*_FROM_PORTS, *_FROM_DNS)
)
"""Controls whose judges only know what a look into the host tells."""

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
_READ = frozenset({"config", "declaration", "firewall"})  # gatepost asks them: what has no judge needs another witness
_PERSON = "a person to judge it"


def missing(name: str, heard: frozenset[str] = frozenset()) -> str:
    """The witnesses that could tell about a control, strongest first, without those that were heard already and said
    nothing. Raises UsageError for an unknown id.
    """
    witnesses = control(name).witnesses
    wanted = [_WITNESSES[w] for w in witnesses if w not in _LAST | heard]
    return " or ".join(wanted) or (_PERSON if "declaration" in witnesses else _WITNESSES["probe"])


def _manual() -> Mapping[str, str]:
    judged = {one.control for one in CHECKS} | JUDGED_APART
    return {one.id: missing(one.id, _READ) for one in controls() if one.id not in judged}


MANUAL: Mapping[str, str] = _manual()


def explained(name: str) -> Explained:
    """A control with its judges and remedies. Raises UsageError for an unknown id."""
    return Explained(
        control(name),
        tuple((one.name, one.title) for one in CHECKS if one.control == name),
        MANUAL.get(name, ""),
        remedies(name),
    )
