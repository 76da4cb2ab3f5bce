using Tunnel.Ctl.Check.Knobs;

namespace Tunnel.Ctl.Check.Topics;

/// <summary>The ports of connections that this host makes.</summary>
internal sealed class PortsTopic() : KnobTopic("ports", "Ports of outgoing connections", [.. SysctlKnobs.Ports, KnobCatalog.ReservedPorts]);
