namespace Tunnel.Perf;

/// <summary>How many bytes of payload one operation of a benchmark moves.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class MovesAttribute(int bytes) : Attribute
{
    public int Bytes { get; } = bytes;
}
