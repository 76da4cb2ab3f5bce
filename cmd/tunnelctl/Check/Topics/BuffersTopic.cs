using Tunnel.Ctl.Check.Knobs;

namespace Tunnel.Ctl.Check.Topics;

/// <summary>What sockets may hold.</summary>
internal sealed class BuffersTopic() : KnobTopic("buffers", "Socket buffers", SysctlKnobs.Buffers);
