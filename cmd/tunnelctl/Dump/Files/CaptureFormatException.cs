namespace Tunnel.Ctl.Dump.Files;

/// <summary>A capture file is not one, or is broken from some place on.</summary>
internal sealed class CaptureFormatException(string message) : Exception(message);
