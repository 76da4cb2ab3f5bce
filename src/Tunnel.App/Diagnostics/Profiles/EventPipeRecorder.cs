using Microsoft.Diagnostics.NETCore.Client;

namespace Tunnel.App.Diagnostics.Profiles;

/// <summary>Runs one session of the runtime's EventPipe on a process, from its start to the last byte.</summary>
internal static class EventPipeRecorder
{
    /// <summary>MiB that the process may hold of what is not read yet.</summary>
    private const int BufferSize = 64;

    /// <summary>What a session is to record.</summary>
    /// <param name="Providers">Whose events.</param>
    /// <param name="Rundown">What the runtime tells at the end, as its rundown provider's keywords; 0 is nothing.</param>
    public sealed record Request(IReadOnlyList<EventPipeProvider> Providers, long Rundown);

    /// <summary>Records until <paramref name="until"/> ends, then what the runtime tells at the end.</summary>
    /// <param name="process">Whose; this one's or another's of the same user.</param>
    /// <param name="request">What.</param>
    /// <param name="read">Reads the stream to its end. Whatever it leaves is read and dropped.</param>
    /// <param name="until">How long.</param>
    /// <param name="cancel">Ends the session early; the call then throws, as if it had not been.</param>
    /// <exception cref="ProfilerException">The process cannot be recorded, or ended meanwhile.</exception>
    public static async Task RecordAsync(
        int process, Request request, Func<Stream, Task> read, Func<CancellationToken, Task> until, CancellationToken cancel)
    {
        try
        {
            var configuration = new EventPipeSessionConfiguration(request.Providers, BufferSize, request.Rundown, true);
            using EventPipeSession session =
                await new DiagnosticsClient(process).StartEventPipeSessionAsync(configuration, cancel).ConfigureAwait(false);
            Task reading = ReadAllAsync(session.EventStream, read);
            Task waiting = until(cancel);
            await Task.WhenAny(waiting, reading).ConfigureAwait(false);
            await StopAsync(session).ConfigureAwait(false);
            await reading.ConfigureAwait(false);
            cancel.ThrowIfCancellationRequested();
            await waiting.ConfigureAwait(false);
        }
        catch (Exception e) when (e is DiagnosticsClientException or IOException or InvalidDataException or TimeoutException)
        {
            cancel.ThrowIfCancellationRequested();
            throw new ProfilerException(Explain(process, e), e);
        }
    }

    /// <summary>The runtime waits for its reader, so somebody must read to the end in any case.</summary>
    private static async Task ReadAllAsync(Stream stream, Func<Stream, Task> read)
    {
        try
        {
            await read(stream).ConfigureAwait(false);
        }
        finally
        {
            await DrainAsync(stream).ConfigureAwait(false);
        }
    }

    private static async Task DrainAsync(Stream stream)
    {
        try
        {
            await stream.CopyToAsync(Stream.Null, CancellationToken.None).ConfigureAwait(false);
        }
        catch (IOException)
        {
            // The process has ended.
        }
    }

    private static async Task StopAsync(EventPipeSession session)
    {
        try
        {
            await session.StopAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (e is DiagnosticsClientException or IOException)
        {
            // It has stopped by itself: the process has ended, which the reader sees.
        }
    }

    private static string Explain(int process, Exception e) => e switch
    {
        ServerNotAvailableException when !Directory.Exists($"/proc/{process}") => $"there is no process {process}",
        ServerNotAvailableException or UnauthorizedAccessException =>
            $"process {process} has no diagnostics port that this user may open: is it a .NET process of this user with the same TMPDIR, "
            + "and without DOTNET_EnableDiagnostics=0?",
        EndOfStreamException => $"process {process} ended, or its trace broke off",
        _ => $"process {process} cannot be recorded: {e.Message}",
    };
}

/// <summary>There is no profile; the message says why.</summary>
public sealed class ProfilerException(string message, Exception? inner = null) : Exception(message, inner);
