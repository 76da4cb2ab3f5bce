using System.Buffers;
using System.Text;
using System.Text.Json;
using Tunnel.Ctl.Dump.Decoding;

namespace Tunnel.Ctl.Dump;

/// <summary>A packet as one line of JSON.</summary>
internal static class DumpJson
{
    public static string Render(DumpedPacket packet)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
            Write(json, packet);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static void Write(Utf8JsonWriter json, DumpedPacket packet)
    {
        json.WriteStartObject();
        json.WriteString("time", DateTime.UnixEpoch.AddTicks(packet.Frame.Time / 100));
        json.WriteString("course", JsonText.Word(packet.Frame.Course));
        json.WriteString("frame", packet.Headline);
        if (packet.Source is { } source && packet.Destination is { } destination)
        {
            json.WriteString("source", source.ToString());
            json.WriteString("destination", destination.ToString());
        }

        json.WriteNumber("length_bytes", packet.Frame.OriginalLength);
        json.WriteNumber("segment_length_bytes", packet.Frame.SegmentLength);
        json.WriteStartArray("datagrams");
        foreach (DumpedDatagram datagram in packet.Datagrams)
            Write(json, datagram);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, DumpedDatagram datagram)
    {
        json.WriteStartObject();
        json.WriteNumber("length_bytes", datagram.Length);
        json.WriteString("state", JsonText.Word(datagram.State));
        json.WriteString("detail", datagram.Detail);
        json.WriteStartArray("segments");
        foreach (DumpedSegment dumped in datagram.Segments)
            Write(json, dumped);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, DumpedSegment dumped)
    {
        json.WriteStartObject();
        json.WriteNumber("conv", dumped.Segment.Conv);
        json.WriteString("cmd", DumpFilter.NameOf(dumped.Segment.Command));
        json.WriteNumber("sn", dumped.Segment.Number);
        json.WriteNumber("una", dumped.Segment.Unacknowledged);
        json.WriteNumber("ts", dumped.Segment.Timestamp);
        json.WriteNumber("wnd", dumped.Segment.Window);
        json.WriteNumber("len_bytes", dumped.Segment.Length);
        json.WriteString("place", JsonText.Word(dumped.Place));
        json.WriteStartArray("smux");
        foreach (DumpedMuxFrame frame in dumped.Frames)
            Write(json, frame);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, DumpedMuxFrame frame)
    {
        json.WriteStartObject();
        json.WriteNumber("sn", frame.Number);
        if (frame.Gap.Length != 0)
        {
            json.WriteString("gap", frame.Gap);
        }
        else
        {
            json.WriteString("cmd", DumpFilter.NameOf(frame.Frame.Command));
            json.WriteNumber("stream", frame.Frame.StreamId);
            json.WriteNumber("len_bytes", frame.Frame.Length);
            json.WriteString("note", frame.Note);
        }

        json.WriteEndObject();
    }
}
