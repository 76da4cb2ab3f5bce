using System.Globalization;
using System.Text;
using Tunnel.Ctl.Dump.Decoding;
using Tunnel.Protocol.Kcp;

namespace Tunnel.Ctl.Dump;

/// <summary>A packet as lines for people: its headers as tcpdump prints them, then, indented, what is inside.</summary>
internal static class DumpText
{
    private const string Dim = "\e[2m";
    private const string Alarm = "\e[31m";
    private const string Plain = "\e[0m";

    /// <param name="packet">What to print.</param>
    /// <param name="colour">With a terminal's colours.</param>
    public static string Render(DumpedPacket packet, bool colour)
    {
        var text = new StringBuilder();
        text.Append(Time(packet.Frame.Time)).Append(' ').Append(packet.Headline).Append(Course(packet.Frame));
        for (int i = 0; i < packet.Datagrams.Count; i++)
        {
            DumpedDatagram datagram = packet.Datagrams[i];
            if (packet.Datagrams.Count > 1)
                Line(text, 1, string.Create(CultureInfo.InvariantCulture, $"datagram {i + 1} of {packet.Datagrams.Count}, length {datagram.Length}"), colour ? Dim : null);
            Append(text, datagram, colour);
        }

        return text.ToString();
    }

    /// <summary>Within the day, UTC, with microseconds.</summary>
    internal static string Time(long nanoseconds) =>
        DateTime.UnixEpoch.AddTicks(Math.Clamp(nanoseconds, 0, long.MaxValue) / 100).ToString("HH:mm:ss.ffffff", CultureInfo.InvariantCulture);

    private static string Course(CapturedFrame frame) =>
        (frame.SegmentLength > 0 ? string.Create(CultureInfo.InvariantCulture, $", merged by {frame.SegmentLength}") : "")
        + (frame.Bytes.Length < frame.OriginalLength ? string.Create(CultureInfo.InvariantCulture, $", cut to {frame.Bytes.Length} of {frame.OriginalLength} bytes") : "");

    private static void Append(StringBuilder text, DumpedDatagram datagram, bool colour)
    {
        string? alarm = colour ? Alarm : null;
        switch (datagram.State)
        {
            case DatagramState.Guard:
                Line(text, 1, $"guard refuses it ({datagram.Detail})", alarm);
                break;
            case DatagramState.Sealed:
                Line(text, 1, string.Create(CultureInfo.InvariantCulture, $"sealed, {datagram.Length} bytes: no key opens it"), colour ? Dim : null);
                break;
            case DatagramState.Fec:
                Line(text, 1, "forward error correction", null);
                break;
            case DatagramState.Malformed:
                Line(text, 1, $"opens with {datagram.Detail}, and is no chain of KCP segments", alarm);
                break;
        }

        foreach (DumpedSegment segment in datagram.Segments)
        {
            Line(text, 1, Describe(segment), null);
            foreach (DumpedMuxFrame frame in segment.Frames)
                Line(text, 2, Describe(frame, segment.Segment.Number), frame.Gap.Length != 0 ? alarm : null);
        }
    }

    private static string Describe(DumpedSegment dumped)
    {
        KcpSegment s = dumped.Segment;
        string place = dumped.Place switch
        {
            SegmentPlace.Waits when dumped.Frames.Count == 0 => string.Create(CultureInfo.InvariantCulture, $" (waits for sn {dumped.WaitsFor})"),
            SegmentPlace.Again => " (again)",
            _ => "",
        };
        string fragment = s.Fragment == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $" frg {s.Fragment}");
        return string.Create(
            CultureInfo.InvariantCulture,
            $"kcp {s.Conv:x8} {DumpFilter.NameOf(s.Command)} sn {s.Number} una {s.Unacknowledged} ts {s.Timestamp} wnd {s.Window}{fragment} len {s.Length}{place}");
    }

    private static string Describe(DumpedMuxFrame frame, uint segment)
    {
        string where = frame.Number == segment ? "" : string.Create(CultureInfo.InvariantCulture, $"sn {frame.Number}: ");
        if (frame.Gap.Length != 0)
            return $"{where}gap: {frame.Gap}";
        string length = frame.Frame.Length == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $" len {frame.Frame.Length}");
        string note = frame.Note.Length == 0 ? "" : $" ({frame.Note})";
        string stream = string.Create(CultureInfo.InvariantCulture, $"smux {DumpFilter.NameOf(frame.Frame.Command)} stream {frame.Frame.StreamId}");
        return where + stream + length + note;
    }

    private static void Line(StringBuilder text, int depth, string line, string? colour)
    {
        text.Append('\n').Append(' ', 4 * depth);
        if (colour is null)
            text.Append(line);
        else
            text.Append(colour).Append(line).Append(Plain);
    }
}
